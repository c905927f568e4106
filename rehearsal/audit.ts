/** Shares no code with functions/: it looks at what the run left behind, not at what the code says it did. */

/** One place where a text may have come to rest, and the text. */
export interface Written {
  readonly place: string;
  readonly text: string;
}

/** Shapes of secrets that need no knowledge of the run: a bootstrap token, a private key, a certificate key. */
const shapes: readonly (readonly [string, RegExp])[] = [
  ["a bootstrap token", /\b[a-z0-9]{6}\.[a-z0-9]{16}\b/],
  ["a private key", /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ["client key data", /client-key-data/],
];

/**
 * Where a secret came to rest outside its SecureString: every secret that came into being in the run is looked for verbatim,
 * and anything that has the shape of one. Names the place and the kind, never the secret.
 */
export function secretLeaks(secrets: readonly string[], written: readonly Written[]): string[] {
  const leaks = new Set<string>();
  for (const { place, text } of written) {
    if (secrets.some((secret) => secret.length >= 8 && text.includes(secret))) leaks.add(`${place} holds a secret of this run`);
    for (const [kind, shape] of shapes) if (shape.test(text)) leaks.add(`${place} holds what looks like ${kind}`);
  }
  return [...leaks].sort();
}
