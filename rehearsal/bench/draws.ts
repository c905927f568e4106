/** The durations that one seed drew, by what they are for: what every design meets alike. */
export class Draws {
  readonly #draws: ReadonlyMap<string, number>;
  constructor(draws: ReadonlyMap<string, number>) {
    this.#draws = draws;
  }

  /** All draws of this name whose subject holds `part`, in seconds. */
  all(name: string, part = ""): number[] {
    return [...this.#draws]
      .filter(([key]) => key.startsWith(`${name}/`) && key.slice(name.length + 1).includes(part))
      .map(([, seconds]) => seconds);
  }

  max(name: string, part = ""): number {
    return Math.max(0, ...this.all(name, part));
  }

  sum(name: string, part = ""): number {
    return this.all(name, part).reduce((total, seconds) => total + seconds, 0);
  }

  /** The subjects of a name, such as every node that joined. */
  subjects(name: string, part = ""): string[] {
    return [...this.#draws.keys()]
      .filter((key) => key.startsWith(`${name}/`) && key.includes(part))
      .map((key) => key.slice(name.length + 1));
  }

  /** A draw that must have been made: a misspelt subject would count as no time at all. */
  of(name: string, subject: string): number {
    const seconds = this.#draws.get(`${name}/${subject}`);
    if (seconds === undefined) throw new RangeError(`nobody drew ${name}/${subject}`);
    return seconds;
  }

  /** One that the story may have had no need of. */
  ofAny(name: string, subject: string): number {
    return this.#draws.get(`${name}/${subject}`) ?? 0;
  }
}
