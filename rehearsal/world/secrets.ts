import { type GetSecretValueCommandInput, SecretsManagerServiceException } from "@aws-sdk/client-secrets-manager";
import { bringExceptions, fault } from "./fault.ts";
import { reads } from "./operation.ts";
import type { World } from "./world.ts";

/** Opens Secrets Manager, which the authorizer of callers alone talks to. The map is each secret's current value, by its ARN. */
export function openSecrets({ door }: World): Map<string, string> {
  const values = new Map<string, string>();
  bringExceptions("secrets", SecretsManagerServiceException);
  door.open({
    name: "secrets",
    operations: {
      GetSecretValue: reads<GetSecretValueCommandInput>(["SecretId"], ({ SecretId = "" }) => {
        const SecretString = values.get(SecretId);
        if (SecretString === undefined)
          throw fault("secrets", "ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
        return { ARN: SecretId, SecretString, VersionStages: ["AWSCURRENT"] };
      }),
    },
    inventory: () => [],
  });
  return values;
}
