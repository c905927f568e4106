import type { GetServiceQuotaCommandInput } from "@aws-sdk/client-service-quotas";
import { fault } from "./fault.ts";
import { reads } from "./operation.ts";
import type { Service } from "./service.ts";

/** Service Quotas: the values an account was given, by quota code. */
export class ServiceQuotas implements Service {
  readonly name = "quotas" as const;
  readonly operations: Service["operations"];
  /** `vpc/L-F678F1CE` -> value. AWS's defaults, but for virtual CPUs, whose default of 5 builds nothing. */
  readonly values = new Map([
    ["vpc/L-F678F1CE", 5],
    ["vpc/L-29B6F2EB", 50],
    ["ec2/L-1216C47A", 4096],
    ["elasticloadbalancing/L-69A177A2", 50],
  ]);

  constructor() {
    this.operations = {
      GetServiceQuota: reads<GetServiceQuotaCommandInput>(
        ["ServiceCode", "QuotaCode"],
        ({ ServiceCode = "", QuotaCode = "" }) => {
          const Value = this.values.get(`${ServiceCode}/${QuotaCode}`);
          if (Value === undefined) throw fault("quotas", "NoSuchResourceException", `no quota ${QuotaCode} of ${ServiceCode}`);
          const QuotaArn = `arn:aws:servicequotas:us-west-2:111122223333:${ServiceCode}/${QuotaCode}`;
          const names = { ServiceName: ServiceCode, QuotaName: QuotaCode };
          const nature = { Unit: "None", Adjustable: true, GlobalQuota: false };
          return { Quota: { ServiceCode, QuotaCode, QuotaArn, ...names, Value, ...nature } };
        },
      ),
    };
  }

  inventory(): readonly [] {
    return [];
  }
}
