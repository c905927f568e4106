import { parseArgs } from "node:util";
import { explore } from "../test/model/explore.ts";
import { whole } from "../test/model/protocol.ts";
import { breaking, coverOf, rules } from "../test/model/rules.ts";
import { type ActorSet, setNamed, sets } from "../test/model/sets.ts";
import { tellStory } from "../test/model/story.ts";
import { wideSets } from "../test/model/wide-sets.ts";

const help = `Usage: npm run explore -- [--quick] [--set TEXT] [--rule KEY]

Every interleaving of small sets of actors over the cluster's record: how many states each set has, and whether anything
happens that must not. Then each rule of the protocol is taken out, and what breaks is found. Takes some minutes.

  --quick       only the sets that the tests explore
  --set TEXT    only the sets with this in their name
  --rule KEY    only this rule, with the whole story of how it is missed

Exit code: 0 nothing forbidden happens and every rule is missed, 1 otherwise, 2 the options are wrong.`;

function readOptions() {
  try {
    return parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        set: { type: "string" },
        rule: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(2);
  }
}

const grouped = (count: number): string => count.toLocaleString("en-US").padStart(11);

/** Whether nothing happened that must not, and everybody came to the ends that the set is for. */
function tellSet(set: ActorSet): boolean {
  const began = performance.now();
  const { states, moves, violation, ends } = explore(set, whole);
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(7);
  const missing = set.reaches.filter((end) => !ends.has(end));
  const verdict = violation?.says ?? (missing.length > 0 ? `nobody comes to ${missing.join(", ")}` : "0");
  console.log(`${set.name.padEnd(60)}${grouped(states)}${grouped(moves)}${seconds} s  ${verdict}`);
  if (violation !== null) console.log(tellStory(violation));
  return violation === null && missing.length === 0;
}

function tellRule(rule: (typeof rules)[number], isWhole: boolean): boolean {
  const cover = coverOf(rule);
  const { states, violation } = explore(setNamed(rule.set), breaking(rule)(whole), rule.tolerates);
  const covered = cover === null ? "" : ` (covered by ${cover.key}: both taken out)`;
  const found = violation === null ? "nothing" : `${violation.says}, after ${violation.story.length} steps`;
  console.log(`${rule.part.padEnd(4)} ${rule.key.padEnd(22)}${grouped(states)}  ${found}${covered}`);
  if (isWhole) console.log(`     Without: ${rule.says}. Among: ${rule.set}.`);
  if (isWhole && violation !== null) console.log(tellStory(violation));
  return violation !== null && rule.breaks.test(violation.says);
}

const options = readOptions();
const { quick, rule: key, set: text } = options;
const chosenSets = (quick ? sets : [...sets, ...wideSets]).filter(
  ({ name }) => key === undefined && (text === undefined || name.includes(text)),
);
const chosenRules = rules.filter((rule) => text === undefined && (key === undefined || rule.key === key));
if (options.help) console.log(help);
else if (chosenSets.length + chosenRules.length === 0) {
  console.error(
    key === undefined ? `no set has "${text}" in its name` : `no rule "${key}": ${rules.map((one) => one.key).join(", ")}`,
  );
  process.exitCode = 2;
} else {
  if (chosenSets.length > 0) console.log(`${"Actors".padEnd(60)}     States      Moves     Time  Violations`);
  const areWell = chosenSets.map(tellSet);
  if (chosenRules.length > 0)
    console.log(`${chosenSets.length > 0 ? "\n" : ""}Rule taken out                  States  What breaks`);
  const areMissed = chosenRules.map((rule) => tellRule(rule, key !== undefined));
  process.exitCode = [...areWell, ...areMissed].every(Boolean) ? 0 : 1;
}
