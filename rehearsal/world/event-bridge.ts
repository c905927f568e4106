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
          if (Source === "" || Source.startsWith("aws.") || DetailType === "") return { ErrorCode: "InvalidArgument" };
          try {
            this.events.push({ at: clock.now(), source: Source, detailType: DetailType, detail: JSON.parse(Detail) });
            return { EventId: `event-${this.events.length}` };
          } catch {
            return { ErrorCode: "MalformedDetail" };
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
