import type { Row } from "../../functions/domain/cluster-record.ts";
import {
  all,
  believing,
  blindToCurrent,
  buildsAgain,
  commitsAll,
  failsProved,
  forgetsDestroyer,
  holdersAre,
  originOfCall,
  parentless,
  regardless,
  releasesAll,
  resumesAny,
  retakesAsItWas,
  retakesFromRunning,
  sameNumber,
  unheld,
} from "./without.ts";
import type { Protocol } from "./world.ts";

/** A rule of lifecycle.md, the protocol without it, and the set of actors among whom it is then missed. */
export interface Rule {
  readonly key: string;
  readonly part: string;
  readonly says: string;
  readonly set: string;
  out(protocol: Protocol): Protocol;
  /** What then happens that must not. */
  readonly breaks: RegExp;
  /** The rule that covers this one: alone it is not missed, both are. */
  readonly coveredBy?: string;
  /** What without this rule is so at once and no harm yet. */
  readonly tolerates?: RegExp;
}

const past = "2026-11-24T00:00:00Z";
const isDead = { state: "failed" } as const;
const allBut = (state: Row["state"] | undefined) => (row: Row | undefined) => row?.state !== state;

export const rules: readonly Rule[] = [
  {
    key: "commit",
    part: "2",
    says: "a failure means nothing on a proved generation",
    set: "builds of a ready cluster",
    breaks: /turns from proved to failed/,
    out: failsProved,
  },
  {
    key: "is-roll-back-due",
    part: "2",
    says: "a failure rolls back only where the record says that this is due",
    set: "a rebuild",
    breaks: /is proved, and is rolled back/,
    out: (protocol) => ({ ...protocol, asksWhetherDue: false }),
    coveredBy: "because-rollBack",
    tolerates: /is rolled back, and it is/,
  },
  {
    key: "commit-under-rebuild",
    part: "2",
    says: "a commit makes current only where no rebuild stands above",
    set: "a rebuild",
    breaks: /is current no more/,
    out: commitsAll,
  },
  {
    key: "counts",
    part: "2",
    says: "a commit counts first: exactly the plan, each once",
    set: "a VPC that is made twice, and a death",
    breaks: /has 2 of vpc, not 1, and it is proved/,
    out: (protocol) => ({ ...protocol, counts: false }),
  },
  {
    key: "holders-dead",
    part: "3.1",
    says: "only a lock all of whose holders are dead is taken",
    set: "two builds and one death",
    breaks: /has 2 of nodes, not 1, and it is proved/,
    out: holdersAre(() => "ended"),
    coveredBy: "fence",
    tolerates: /takes the lock from|has lost its lock/,
  },
  {
    key: "five-minutes",
    part: "3.1",
    says: "an execution that does not exist counts as dead only after 5 minutes",
    set: "an execution that cannot be found yet",
    breaks: /has 2 of nodes, not 1, and it is proved/,
    out: holdersAre((said) => (said === "unknown" ? "ended" : said)),
    coveredBy: "fence",
    tolerates: /takes the lock from|has lost its lock/,
  },
  {
    key: "number",
    part: "3.2",
    says: "taking the lock raises its number",
    set: "a rebuild that is redriven, and a copy of its build",
    breaks: /is current no more, and no person wanted it/,
    out: sameNumber,
    tolerates: /lock number/,
  },
  {
    key: "because-rollBack",
    part: "3.3",
    says: "a roll-back takes only what its chain built and has not committed",
    set: "a rebuild",
    breaks: /is proved, and is rolled back/,
    out: regardless("rollBack", isDead),
    coveredBy: "is-roll-back-due",
  },
  {
    key: "because-abandoned",
    part: "3.3",
    says: "what was abandoned is still so when the destroy takes the lock",
    set: "watcher and sweep on one death",
    breaks: /is current no more/,
    out: regardless("abandoned", isDead),
  },
  {
    key: "because-expired",
    part: "3.3",
    says: "what had expired is still kept and past its time",
    set: "what is kept, resumed, extended or asked for otherwise",
    breaks: /is destroyed before its time is over/,
    out: regardless("expired", { state: "kept", keptUntil: past }),
  },
  {
    key: "because-pastGrace",
    part: "3.3",
    says: "what was past its grace is still retired and past it",
    set: "rollback, promote and extend against the sweep",
    breaks: /is current no more/,
    out: regardless("pastGrace", { state: "retired", destroyAfter: past }),
  },
  {
    key: "never-current",
    part: "3.3",
    says: "a destroy that no person started never takes the current generation",
    set: "a rebuild that is redriven, and a copy of its build",
    breaks: /is current no more/,
    out: blindToCurrent,
  },
  {
    key: "asks-again",
    part: "3.4",
    says: "an execution that asks again gets the same answer",
    set: "two builds of one name",
    breaks: /holds the lock, and is refused it/,
    out: forgetsDestroyer,
  },
  {
    key: "origin",
    part: "3.4",
    says: "the origin is read from the row, not from whether this call wrote",
    set: "two builds of one name",
    breaks: /has 2 of nodes, not 1, and it is proved/,
    out: originOfCall,
  },
  {
    key: "one-generation",
    part: "3.4",
    says: "an execution builds one generation in its life",
    set: "a build that is redriven, and one that resumes",
    breaks: /turns from gone to building/,
    out: buildsAgain,
  },
  {
    key: "chain",
    part: "3.5",
    says: "a parent is believed only where the record says the same",
    set: "a rebuild that is redriven, and a copy of its build",
    breaks: /enters behind r.build-2, which did not start it/,
    out: believing,
  },
  {
    key: "retake",
    part: "3.5",
    says: "after a child has ended its parent retakes the lock",
    set: "a rebuild",
    breaks: /r has lost its lock, though nothing went wrong/,
    out: (protocol) => ({ ...protocol, retakes: false }),
  },
  {
    key: "retake-number",
    part: "3.5",
    says: "a retake raises the number even where no child has entered",
    set: "a rebuild that is redriven, and a copy of its build",
    breaks: /is current no more/,
    out: retakesAsItWas,
  },
  {
    key: "retake-dead",
    part: "3.5",
    says: "a retake drops only dead holders",
    set: "a rebuild that is redriven, and a copy of its build",
    breaks: /takes the lock from r.build-2-copy, which runs/,
    out: retakesFromRunning,
  },
  {
    key: "release-own",
    part: "3.5",
    says: "a release removes only the one who releases",
    set: "a rebuild",
    breaks: /takes the lock from r, which runs/,
    out: releasesAll,
  },
  {
    key: "exactly-that-one",
    part: "3.6",
    says: "a rebuild's build works on exactly the generation that the rebuild allotted",
    set: "a rebuild",
    breaks: /cannot switch to it, though nothing went wrong/,
    out: parentless,
  },
  {
    key: "same-request",
    part: "3.7",
    says: "what was begun is resumed by the same request only",
    set: "what is kept, resumed, extended or asked for otherwise",
    breaks: /is proved with nodes of another request/,
    out: resumesAny,
  },
  {
    key: "fence",
    part: "4",
    says: "a step that changes something passes the fence first",
    set: "a build that is redriven, and one that resumes",
    breaks: /has 2 of nodes, not 1, and it is proved/,
    out: (protocol) => ({ ...protocol, fence: () => true }),
  },
  {
    key: "held",
    part: "4",
    says: "whoever writes a row holds the lock under its number",
    set: "two builds of one name",
    breaks: /writes a row without the lock/,
    out: unheld,
  },
  {
    key: "pause-destroy",
    part: "4",
    says: "a destroy pauses for orphans before its first list",
    set: "two builds of one name",
    breaks: /was audited clean, and something of it is there/,
    out: (protocol) => ({ ...protocol, pausesBefore: { ...protocol.pausesBefore, destroy: false } }),
  },
  {
    key: "pause-resume",
    part: "4",
    says: "a resume pauses for orphans before its first list",
    set: "two builds of one name",
    breaks: /has 2 of nodes, not 1, and it is proved/,
    out: (protocol) => ({ ...protocol, pausesBefore: { ...protocol.pausesBefore, resume: false } }),
  },
  {
    key: "audit-twice",
    part: "4",
    says: "an audit looks twice",
    set: "a cluster that makes something as it is destroyed",
    breaks: /was audited clean, and something of it is there/,
    out: (protocol) => ({ ...protocol, audits: 1 }),
  },
  {
    key: "made",
    part: "4",
    says: "the first VPC in the row's `made` is the generation's, and a loser deletes its own",
    set: "a VPC that is made twice",
    breaks: /has 2 of vpc, not 1, and it is proved/,
    out: (protocol) => ({ ...protocol, claims: false }),
    coveredBy: "counts",
  },
  {
    key: "numbers-on-nodes",
    part: "4",
    says: "a node refuses a script whose number is lower than the highest that it saw",
    set: "scripts on nodes, and a command that lies about its end",
    breaks: /writes over what number 2 wrote/,
    out: (protocol) => ({ ...protocol, numbersOnNodes: false }),
  },
  {
    key: "await-cancelled",
    part: "4",
    says: "a resume waits until each earlier command is terminal",
    set: "scripts on nodes",
    breaks: /writes over what number 2 wrote/,
    out: (protocol) => ({ ...protocol, awaitsCancelled: false }),
    coveredBy: "numbers-on-nodes",
  },
  {
    key: "one-flock",
    part: "4",
    says: "a node runs one script at a time",
    set: "scripts on nodes, and a command that lies about its end",
    breaks: /writes over what number 2 wrote/,
    out: (protocol) => ({ ...protocol, locksNodes: false }),
    coveredBy: "before-writing",
  },
  {
    key: "before-writing",
    part: "4",
    says: "a script looks at the number again right before it writes",
    set: "scripts on nodes, and a command that lies about its end",
    breaks: /writes over what number 2 wrote/,
    out: (protocol) => ({ ...protocol, looksBeforeWriting: false }),
    coveredBy: "one-flock",
  },
  {
    key: "looks-first",
    part: "5",
    says: "watcher and sweep start a destroy only for what a reason holds for",
    set: "a ready cluster, the watcher and the sweep",
    breaks: /is current no more/,
    out: (protocol) => ({ ...protocol, looksFirst: false }),
    coveredBy: "because-abandoned",
  },
  ...(["building", "failed", "destroying", "proved", "left"] as const).map((state) => ({
    key: `sweep-${state}`,
    part: "5",
    says: `the sweep takes what is ${state} with every holder dead`,
    set: {
      building: "two builds of one name",
      failed: "two builds of one name",
      destroying: "two builds of one name",
      proved: "a rebuild",
      left: "a cluster that makes something as it is destroyed",
    }[state],
    breaks: state === "left" ? /is left past its time/ : state === "proved" ? /is proved, not current/ : /stays \w+ for ever/,
    out: (protocol: Protocol) => ({ ...protocol, sweepTakes: allBut(state) }),
  })),
  ...(["kept", "retired"] as const).map((state) => ({
    key: `sweep-${state}`,
    part: "5",
    says: `the sweep takes what is ${state} and past its time`,
    set: {
      kept: "what is kept, resumed, extended or asked for otherwise",
      retired: "rollback, promote and extend against the sweep",
    }[state],
    breaks: /past its time, for ever/,
    out: (protocol: Protocol) => ({ ...protocol, sweepTakes: allBut(state) }),
  })),
  {
    key: "sweep-strays",
    part: "5",
    says: "the sweep takes what carries our tag and no row explains",
    set: "things that no record knows",
    breaks: /stays, and no row explains it/,
    out: (protocol) => ({ ...protocol, sweepTakes: (row) => row !== undefined }),
  },
  {
    key: "sweep-names",
    part: "5",
    says: "the sweep's names add the quarter of an hour",
    set: "two builds of one name",
    breaks: /stays destroying for ever/,
    out: (protocol) => ({ ...protocol, sweepNamesAnew: false }),
  },
];

const ruleOf = (key: string): Rule => {
  const rule = rules.find((one) => one.key === key);
  if (rule === undefined) throw new RangeError(`there is no rule "${key}"`);
  return rule;
};
export const coverOf = (rule: Rule): Rule | null => (rule.coveredBy === undefined ? null : ruleOf(rule.coveredBy));
/** What breaks without the rule, and without the one that covers it. */
export const breaking = (rule: Rule): Rule["out"] => {
  const cover = coverOf(rule);
  return cover === null ? rule.out : all(rule.out, cover.out);
};
