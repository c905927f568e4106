import latencies from "./latencies.json" with { type: "json" };

export type DurationName = keyof typeof latencies.durations;

/** 0.95 quantile of the standard normal distribution. */
const Z95 = 1.6448536269514722;

/** FNV-1a over the text, finished by a Murmur-style mix: 32 well-spread bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Seeded chance. A draw depends on the seed and on what it is for, not on how many came before: two designs that meet the same
 * event in another order see the same duration, which is what makes them comparable.
 */
export class Chance {
  readonly seed: number;
  /** Every duration drawn so far, by `name/subject`: asked for twice, it is the same. */
  readonly draws = new Map<string, number>();
  constructor(seed: number) {
    this.seed = seed;
  }

  /** Uniform in (0, 1) for this purpose. */
  uniform(purpose: string): number {
    return (hash(`${this.seed}/${purpose}`) + 0.5) / 0x1_0000_0000;
  }

  /** A log-normal duration with the p50 and p95 of latencies.json. `subject` says whose: an instance's name tag, an endpoint's service. */
  seconds(name: DurationName, subject: string): number {
    const key = `${name}/${subject}`;
    const drawn = this.draws.get(key);
    if (drawn !== undefined) return drawn;
    const { p50, p95 } = latencies.durations[name];
    const normal = Math.sqrt(-2 * Math.log(this.uniform(`${key}/a`))) * Math.cos(2 * Math.PI * this.uniform(`${key}/b`));
    const seconds = p50 * Math.exp((normal * Math.log(p95 / p50)) / Z95);
    this.draws.set(key, seconds);
    return seconds;
  }
}
