import type { PutEventsCommandInput } from "@aws-sdk/client-eventbridge";
import { fault } from "./fault.ts";
import { type Operations, writes } from "./operation.ts";
import type { Service, Universe } from "./service.ts";

/** One event on the account's default bus. */
export interface BusEvent {
  readonly at: number;
  readonly source: string;
  readonly detailType: string;
  readonly detail: unknown;
}

/** PutEvents takes so many entries at once. */
const entriesMax = 10;

/** An entry that is refused does not refuse the others; the code for AWS's own sources is in aws-samples/serverless-patterns#3089. */
const notTaken = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });

/** The virtual EventBridge: keeps what was put on the default bus, in order. */
export class EventBridge implements Service {
  readonly name = "events";
  readonly operations: Operations;
  readonly events: BusEvent[] = [];

  constructor({ clock }: Universe) {
    this.operations = {
      PutEvents: writes<PutEventsCommandInput>(["Entries"], ({ Entries = [] }) => {
        if (Entries.length < 1 || Entries.length > entriesMax)
          throw fault("events", "ValidationException", `From 1 to ${entriesMax} entries, not ${Entries.length}`);
        const put = Entries.map(({ Source = "", DetailType = "", Detail = "" }) => {
          if (Source.startsWith("aws.")) return notTaken("NotAuthorizedForSourceException", "Not authorized for the source.");
          if (Source === "" || DetailType === "")
            return notTaken("InvalidArgument", "Parameter Source or DetailType is not valid. Reason: it is a required argument.");
          try {
            this.events.push({ at: clock.now(), source: Source, detailType: DetailType, detail: JSON.parse(Detail) });
            return { EventId: `event-${this.events.length}` };
          } catch {
            return notTaken("MalformedDetail", "Detail is malformed.");
          }
        });
        return { FailedEntryCount: put.filter((entry) => "ErrorCode" in entry).length, Entries: put };
      }),
    };
  }

  inventory(): readonly [] {
    return [];
  }
}
