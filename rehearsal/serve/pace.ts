import type { SimClock } from "../world/clock.ts";

/** How often the clock is moved. */
const tickMs = 20;

/** Moves virtual time along with real time, so many virtual seconds a real one, until it is stopped. */
export function keepPace(clock: SimClock, speed: number): { stop(): void } {
  const [began, from] = [performance.now(), clock.now()];
  let isStopped = false;
  const tick = async (): Promise<void> => {
    await clock.reach(from + (performance.now() - began) * speed);
    if (!isStopped) setTimeout(() => void tick(), tickMs);
  };
  void tick();
  return {
    stop() {
      isStopped = true;
    },
  };
}
