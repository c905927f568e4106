import * as z from "zod";
import { BundleLine, ImageLine, lineFolders } from "../functions/domain/lines.ts";

const name = z.string().regex(/^[\w+=,.@/-]{1,128}$/);

/** What a deployer may choose, as CDK context: `npm run deploy -- -c xray=true`. Everything has a default. */
export const Options = z.strictObject({
  /** An existing bucket that holds bundles; without it the images stack makes one. */
  bundleBucket: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/)
    .nullable()
    .default(null),
  /** The name of a managed policy that bounds every role of the stacks. */
  permissionsBoundary: name.nullable().default(null),
  /** Accounts whose images are trusted beside our own. */
  trustedImageOwners: z
    .array(z.string().regex(/^\d{12}$/))
    .max(20)
    .default([]),
  /** The lines of images and bundles that a request takes which names none; a person or an image pipeline writes them. */
  defaultImageParameter: ImageLine.default(`${lineFolders.image}default`),
  defaultBundleParameter: BundleLine.default(`${lineFolders.bundle}default`),
  /** The SNS topic that alarms go to; without one they only show. */
  alarmTopicArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/)
    .nullable()
    .default(null),
  /** Where changes of executions are posted. Over TLS only: the post carries a secret. */
  webhookUrl: z
    .url({ protocol: /^https$/, error: "a webhook's address begins with https://" })
    .nullable()
    .default(null),
  /** A second API, for callers who cannot sign with IAM credentials and share a secret instead. */
  hmacCallers: z.boolean().default(false),
  /** Interface endpoints for execute-api: with any of them the API is private, and reached through these alone. */
  apiVpcEndpoints: z
    .array(z.string().regex(/^vpce-[0-9a-f]{8,17}$/))
    .max(5)
    .default([]),
  /** When the clusters are rebuilt whose request lists "schedule": Sundays at 3 in the morning (UTC). */
  rebuildSchedule: z
    .string()
    .regex(/^(?:rate|cron)\([\w\s*?/#,-]{1,100}\)$/, "rate(...) or cron(...), as EventBridge has them")
    .default("cron(0 3 ? * SUN *)"),
  xray: z.boolean().default(false),
  /** CloudWatch Logs takes these and a few more. */
  logRetentionDays: z.union([z.literal(7), z.literal(30), z.literal(90), z.literal(365)]).default(90),
});
export type Options = z.infer<typeof Options>;

const optionNames = Object.keys(Options.shape);

/** What was typed on the command line is text: numbers, booleans and lists are JSON, the rest stands for itself. */
function typed(value: unknown): unknown {
  if (typeof value !== "string" || !/^(?:true|false|null|\d{1,4}|\[.*\])$/.test(value)) return value;
  return JSON.parse(value);
}

/** Reads the options from CDK's context; whatever is wrong is named at once. */
export function readOptions(context: (option: string) => unknown): Options {
  const given = optionNames.flatMap((option) => {
    const value = typed(context(option));
    return value === undefined || value === null ? [] : [[option, value]];
  });
  const parsed = Options.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  throw new RangeError(parsed.error.issues.map(({ path, message }) => `option ${path.join(".")}: ${message}`).join("; "));
}
