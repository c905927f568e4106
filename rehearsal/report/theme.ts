const light = `--ink:#1f2328;--muted:#59636e;--page:#f6f8fa;--surface:#fff;--inset:#f1f4f7;--line:#d1d9e0;--line-strong:#818b98;--good:#1a7f37;--good-soft:#dafbe1;--warn:#9a6700;--warn-soft:#fff4c9;--bad:#cf222e;--bad-soft:#ffebe9;--aws:#e0863a;--node:#3b78d8;--own:#7a5bc7`;
const dark = `--ink:#e6edf3;--muted:#9aa5b1;--page:#0d1117;--surface:#161b22;--inset:#1b222b;--line:#30363d;--line-strong:#6e7883;--good:#3fb950;--good-soft:#12311d;--warn:#d29922;--warn-soft:#372a0b;--bad:#f85149;--bad-soft:#3c1518;--aws:#e3934f;--node:#6ea8fe;--own:#a48af0`;

/** The custom properties that every picture uses, for a selector, in both schemes. */
export const theme = (selector: string): string =>
  `${selector}{color-scheme:light dark;${light}}@media (prefers-color-scheme:dark){${selector}{${dark}}}`;

const valuesOf = (scheme: string): ReadonlyMap<string, string> =>
  new Map([...scheme.matchAll(/(--[\w-]+):([^;]+)/g)].map(([, name = "", value = ""]) => [name, value]));
const filled = (rules: string, scheme: string): string =>
  rules.replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) => {
    const value = valuesOf(scheme).get(name);
    if (value === undefined) throw new RangeError(`the theme has no ${name}`);
    return value;
  });

/** The same rules with the colours themselves, for what is shown by more than browsers: light, and dark where that is asked for. */
export const themed = (rules: string): string =>
  `${filled(rules, light)}@media (prefers-color-scheme:dark){${filled(rules, dark)}}`;
