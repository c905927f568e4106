import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { TransientError } from "../errors.ts";
import type { Aws } from "./aws.ts";

export interface AnnouncementsPort {
  /** One event of source `cloister` on the account's default bus. Subscribers may get it twice. */
  send(detailType: string, detail: Readonly<Record<string, unknown>>): Promise<void>;
}

export const announcements = ({ events }: Pick<Aws, "events">): AnnouncementsPort => ({
  async send(detailType, detail) {
    const entry = { Source: "cloister", DetailType: detailType, Detail: JSON.stringify(detail) };
    const { FailedEntryCount = 0, Entries = [] } = await events.send(new PutEventsCommand({ Entries: [entry] }));
    // A 200 may hold a failed entry (EventBridge, PutEvents).
    if (FailedEntryCount > 0) throw new TransientError(`the event was not taken: ${Entries[0]?.ErrorCode}`);
  },
});
