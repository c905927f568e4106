import type { Principal } from "./signature.ts";

export interface Door {
  readonly url: string;
  readonly region: string;
  readonly principal: Principal;
  readonly key: { readonly id: string; readonly secret: string };
}

/** Calls to paste into a shell: by IAM credentials with curl's own SigV4, and by a secret with openssl. */
export const examples = ({ url, region, principal, key }: Door): string => `# With IAM credentials (SigV4, curl 7.75 or later)
iam() { # METHOD PATH [TICKET] [BODY]
  curl -sS -X "$1" --aws-sigv4 aws:amz:${region}:execute-api --user '${principal.accessKeyId}:${principal.secretAccessKey}' \\
    \${3:+-H "Idempotency-Key: $3"} \${4:+-H 'Content-Type: application/json' --data-raw "$4"} "${url}/v1$2"; echo
}
iam POST /clusters CHG-1 '{"name":"orchid"}'
iam GET /requests/CHG-1
iam GET /clusters/orchid/certificate
iam POST /clusters/orchid/rebuild CHG-2
iam DELETE /clusters/orchid CHG-3

# With a secret (HMAC)
hmac() { # METHOD PATH [TICKET] [BODY]
  local now digest= signature
  now=$(date +%s)
  [ -z "\${4-}" ] || digest="sha-256=:$(printf %s "$4" | openssl dgst -sha256 -binary | base64):"
  signature=$(printf '%s\\n%s\\n%s\\n%s\\n%s\\n%s\\n%s' CLOISTER-HMAC-SHA256 "$1" "/hmac$2" "$now" ${key.id} "\${3-}" "$digest" |
    openssl dgst -sha256 -hmac ${key.secret} -r | cut -d' ' -f1)
  curl -sS -X "$1" -H 'X-Cloister-Key: ${key.id}' -H "X-Cloister-Timestamp: $now" -H "X-Cloister-Signature: $signature" \\
    \${3:+-H "Idempotency-Key: $3"} \${4:+-H "Content-Digest: $digest" -H 'Content-Type: application/json' --data-raw "$4"} "${url}/hmac$2"; echo
}
hmac POST /clusters CHG-1 '{"name":"violet"}'
hmac GET /requests/CHG-1
hmac GET /openapi.json`;
