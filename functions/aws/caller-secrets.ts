import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { CallerSecrets } from "../domain/signed-request.ts";
import { DefectError } from "../errors.ts";

/** The one function that reads secrets has no other client, and no step has this one. Three attempts, as clients.ts says. */
export const lambdaSecrets = (): SecretsManagerClient => new SecretsManagerClient({ maxAttempts: 3 });

/** Read anew for every request: a secret that was taken out is worth nothing from then on. */
export async function readCallerSecrets(secrets: SecretsManagerClient, secretId: string): Promise<CallerSecrets> {
  const { SecretString = "" } = await secrets.send(new GetSecretValueCommand({ SecretId: secretId }));
  const parsed = CallerSecrets.safeParse(asJson(SecretString));
  if (parsed.success) return parsed.data;
  // The issues name places, never values.
  const places = parsed.error.issues.map(({ path, code }) => `${path.join(".") || "it"}: ${code}`);
  throw new DefectError("the secret of callers is not as docs/operating.md says", { places });
}

function asJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
