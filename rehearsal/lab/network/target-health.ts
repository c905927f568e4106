import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { connect } from "node:net";
import type { BalancerState, HealthCheck, TargetState } from "./state.ts";

interface Watched {
  isHealthy: boolean;
  /** Checks in a row that disagree. */
  streak: number;
  readonly check: HealthCheck;
}

/** One check, from a load balancer's own address; like AWS's it believes any certificate, and 200 to 399 is well. */
export function passes(from: string, { address, port }: TargetState, check: HealthCheck): Promise<boolean> {
  const timeout = check.timeoutSeconds * 1000;
  const call = { host: address, port, localAddress: from, timeout };
  return new Promise((tell) => {
    if (check.protocol === "TCP") {
      const socket = connect(call);
      const end = (isGood: boolean) => {
        socket.destroy();
        tell(isGood);
      };
      socket.once("connect", () => end(true));
      socket.once("error", () => end(false));
      socket.once("timeout", () => end(false));
      return;
    }
    const request = check.protocol === "HTTPS" ? requestHttps : requestHttp;
    const asked = request({ ...call, path: check.path, agent: false, rejectUnauthorized: false }, ({ statusCode = 0 }) => {
      asked.destroy();
      tell(statusCode >= 200 && statusCode < 400);
    });
    asked.once("error", () => tell(false));
    asked.once("timeout", () => asked.destroy());
    asked.end();
  });
}

/** Which targets are healthy, as a network load balancer finds out: checks at an interval, so many in a row to change its mind. */
export class TargetHealth {
  readonly #watched = new Map<string, Watched>();
  readonly #wait: (seconds: number) => Promise<void>;

  constructor(wait: (seconds: number) => Promise<void>) {
    this.#wait = wait;
  }

  /** Begins with the targets that are new, and lets go of those that are no more. */
  follow(balancers: readonly BalancerState[]): void {
    const wanted = new Set<string>();
    for (const { addresses, listeners } of balancers) {
      const from = addresses[0]?.address;
      if (from === undefined) continue;
      for (const { targets, check } of listeners) {
        for (const target of targets) {
          const key = keyOf(target, check);
          wanted.add(key);
          if (!this.#watched.has(key)) void this.#watch(key, from, target, { isHealthy: false, streak: 0, check });
        }
      }
    }
    for (const key of this.#watched.keys()) if (!wanted.has(key)) this.#watched.delete(key);
  }

  /** The healthy ones, or all when none is: it fails open (facts 3.7). */
  open(targets: readonly TargetState[], check: HealthCheck): readonly TargetState[] {
    const healthy = targets.filter((target) => this.#watched.get(keyOf(target, check))?.isHealthy === true);
    return healthy.length > 0 ? healthy : targets;
  }

  async #watch(key: string, from: string, target: TargetState, watched: Watched): Promise<void> {
    const { check } = watched;
    this.#watched.set(key, watched);
    for (;;) {
      await this.#wait(check.intervalSeconds);
      if (this.#watched.get(key) !== watched) return;
      const isGood = await passes(from, target, check);
      watched.streak = isGood === watched.isHealthy ? 0 : watched.streak + 1;
      if (watched.streak < (isGood ? check.healthy : check.unhealthy)) continue;
      watched.isHealthy = isGood;
      watched.streak = 0;
    }
  }
}

const keyOf = (target: TargetState, check: HealthCheck): string => JSON.stringify([target.address, target.port, check]);
