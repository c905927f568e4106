import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ablations } from "../../rehearsal/lab/suite/ablations.ts";
import { breaches } from "../../rehearsal/lab/suite/breaches.ts";

/** The rehearsal's rows, as they are written: running them here would run them twice. */
const rehearsed = ["aws", "kubernetes"]
  .map((which) => readFileSync(new URL(`../workflow/ablations-${which}.test.ts`, import.meta.url), "utf8"))
  .flatMap((text) => text.split(/\n {4}without: /).slice(1))
  // One row there stands for two services.
  .map((text) => text.replace(/^`the .* endpoint`/, '"the ssm endpoint"'));

test("what the lab takes away ends in the state and with the error that the rehearsal demands for the same", () => {
  assert.ok(ablations.length >= 15);
  for (const { without, state, error } of ablations) {
    // The guard's absence costs the rehearsal five minutes, which its own test measures; the lab does not sit through them.
    if (without === "the guard") continue;
    const name = without.replace(/, the registry's packets being lost$/, "");
    const row = rehearsed.find((text) => text.startsWith(`"${name}",`));
    assert.ok(row, `the rehearsal has no row without ${name}`);
    const states = /state: (?:"(\w+)"|\/(.+)\/),/.exec(row);
    assert.match(state, new RegExp(states?.[2] ?? `^${states?.[1]}$`), without);
    assert.equal(/error: "(\w+)"/.exec(row)?.[1], error, without);
  }
});

test("every breach names a check of the certificate", () => {
  const certificate = readFileSync(new URL("../../functions/domain/certificate.ts", import.meta.url), "utf8");
  assert.ok(breaches.length >= 8);
  for (const { by, checks } of breaches)
    for (const check of checks) assert.ok(certificate.includes(`"${check}"`), `${by}: ${check}`);
});
