import type { Defect } from "./defect.ts";

const domain = (file: string, name: string, from: string, to: string): Defect => ({
  name,
  file: `functions/domain/${file}.ts`,
  from,
  to,
});

/** In the record's protocol, and in what names and marks a generation's things. */
export const record: readonly Defect[] = [
  domain(
    "record/holding",
    "the fence compares only the number",
    " === lock.number && isLastHolder(record, lock.execution);",
    " === lock.number;",
  ),
  domain(
    "record/holding",
    "the fence compares only the holder",
    "record.lock.number === lock.number && isLastHolder",
    "isLastHolder",
  ),
  domain(
    "record/holding",
    "a release removes every holder",
    "record?.lock.holders.filter(({ execution }) => execution !== lock.execution)",
    "record?.lock.holders.filter(() => false)",
  ),
  domain(
    "record/holding",
    "a retake keeps the dead child",
    "const holders = [...record.lock.holders.slice(0, place), { ...own, number }];",
    "const holders = [...record.lock.holders.slice(0, place), { ...own, number }, ...behind];",
  ),
  domain(
    "record/holding",
    "taking the lock does not raise its number",
    "const number = record.lock.number + 1;\n  const above",
    "const number = Math.max(1, record.lock.number);\n  const above",
  ),
  domain("record/building", "a build minds no running holder", "if (busy !== undefined) return { refusal: busy };", ""),
  domain("record/changing", "a change minds no running holder", "if (busy !== undefined) return { refusal: busy };", ""),
  domain("record/destroying", "the sweep minds no running holder", "if (runningHolder(record, at) !== undefined) return [];", ""),
  domain(
    "record/destroying",
    "the reason of a destroy is not checked",
    "if (intent.because === null) return null;",
    "return null;",
  ),
  domain(
    "record/destroying",
    "a roll-back of any generation",
    'return intent.parent !== null && isOurs && (state === "building" || state === "failed") ? null : spared;',
    "return null;",
  ),
  domain("record/destroying", "a protected cluster is destroyed", "if (takesCurrent && record.protected) {", "if (false) {"),
  domain(
    "record/destroying",
    "a proved generation's volumes go without a person",
    "doomedVolumes: !row.wasProved || isDecided",
    "doomedVolumes: true",
  ),
  domain("record/destroying", "what is left counts as gone", "if (left.length === 0) return", "if (left.length >= 0) return"),
  domain(
    "record/rebuilding",
    "a switch to an unproved generation",
    'if (row.state !== "proved") {',
    'if (row.state === "gone") {',
  ),
  domain("record/building", "a rebuild's build becomes current by itself", "record.lock.holders.length === 1", "true"),
  domain(
    "record/building",
    "a redriven build goes on",
    'if (row.state === "building" && isLastHolder(record, who)) {',
    "if (isLastHolder(record, who)) {",
  ),
  domain(
    "record/building",
    "a failure after the commit rolls back",
    'return { record: null, answer: { rollBack: "no", keptUntil: null } };',
    'return { record: null, answer: { rollBack: "yes", keptUntil: null } };',
  ),
  domain("record/building", "what is kept is kept for ever", 'rows({ state: "kept", keptUntil })', 'rows({ state: "kept" })'),
  domain("tags", "no generation among the tags", '  "cloister:generation": String(generation),\n', ""),
  domain("tags", "things do not say which execution made them", '  "cloister:execution": lock.execution,\n', ""),
  domain(
    "tokens",
    "a client token comes back for a second node",
    "[execution, generation, logicalName, zone, ordinal]",
    "[execution, generation, logicalName, zone]",
  ),
];
