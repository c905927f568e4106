import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import type { Context } from "aws-lambda";
import { authorizeCaller } from "../../functions/api/authorize-caller.ts";
import { paths } from "../../functions/api/paths.ts";
import { apiRouter, type ServeApi } from "../../functions/api/router.ts";
import { MachineArn } from "../../functions/domain/ids.ts";
import { type CallerSecrets, signatureHeaders } from "../../functions/domain/signed-request.ts";
import type { Log } from "../../functions/step.ts";
import { machineArn } from "../lambdas.ts";
import type { Stage } from "../stage.ts";
import { openSecrets } from "../world/secrets.ts";
import { type Admitted, type Arrived, authorizerEvent, type Place, proxyEvent } from "./events.ts";
import { type Principal, verify } from "./signature.ts";

export interface Answer {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface GatewayOptions {
  /** Who may call by IAM. */
  readonly principals: readonly Principal[];
  /** Who signs with a secret. */
  readonly callers: CallerSecrets;
  /** A custom domain's own paths, and the stages that they lead to. */
  readonly mappings?: Readonly<Record<string, "v1" | "hmac">>;
  /** What router and authorizer log; nowhere by default. */
  readonly log?: Log;
  /** The time that signatures are judged by: the caller's world, which is not the virtual account's. */
  now(): Date;
}

/** A body of 10 MB is API Gateway's own limit. */
export const bodyBytesMax = 10 * 2 ** 20;

/** The secret of callers in the virtual account. */
export const secretId = "arn:aws:secretsmanager:us-west-2:111122223333:secret:CallersSecret-virtual";
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** `/clusters/{name}` -> what it matches. */
const resources = Object.entries(paths).map(([path, methods]) => ({
  path,
  pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  methods: methods as readonly string[],
}));

const refusal = (status: number, title: string, detail: string): Answer => ({
  status,
  headers: { "content-type": "application/problem+json" },
  body: JSON.stringify({ type: "about:blank", title, status, detail }),
});

/** The two deployed APIs before a virtual account: who is let in is found out as there, and the shipped router answers. */
export class ApiGateway {
  readonly #stage: Stage;
  readonly #options: GatewayOptions;
  readonly #secrets: SecretsManagerClient;
  readonly #serveApi: ServeApi;

  constructor(stage: Stage, options: GatewayOptions) {
    const { account } = stage;
    this.#stage = stage;
    this.#options = options;
    openSecrets(account.world).set(secretId, JSON.stringify(options.callers));
    const client = new SecretsManagerClient({
      region: "us-west-2",
      credentials: { accessKeyId: "virtual", secretAccessKey: "virtual" },
    });
    const authorizer = { kind: "function", step: "authorize-caller", state: "AuthorizeCaller", execution: "" } as const;
    this.#secrets = account.world.door.bind(client, "secrets", authorizer);
    const arn = (machine: string) => MachineArn.parse(machineArn(machine, account.deployment));
    const machines = { build: arn("build-cluster"), rebuild: arn("rebuild-cluster"), destroy: arn("destroy-cluster") };
    const aws = account.clientsFor({ kind: "function", step: "serve-api", state: "ServeApi", execution: "" });
    this.#serveApi = apiRouter(aws, machines, options.log ?? quiet);
  }

  async answer(arrived: Arrived): Promise<Answer> {
    const [, first = "", rest = ""] = /^\/([^/]+)(\/.*)$/.exec(arrived.path) ?? [];
    const stage = first === "v1" || first === "hmac" ? first : this.#options.mappings?.[first];
    const resource = resources.find(({ pattern, methods }) => pattern.test(rest) && methods.includes(arrived.method))?.path;
    if (stage === undefined || resource === undefined) return refusal(403, "Forbidden", "Missing Authentication Token");
    if (arrived.body.length > bodyBytesMax) return refusal(413, "The request is too large", "Request Entity Too Large");
    const place = { stage, resource, isMapped: first !== stage };
    const admitted = stage === "v1" ? await this.#byIam(arrived) : await this.#byAuthorizer(arrived, place, rest);
    return "status" in admitted ? admitted : this.serve(arrived, place, admitted);
  }

  /** The function behind the API, for whoever was let in. */
  async serve(arrived: Arrived, place: Place, admitted: Admitted): Promise<Answer> {
    const {
      statusCode,
      headers = {},
      multiValueHeaders = {},
      body,
    } = await this.#serveApi(proxyEvent(arrived, place, admitted), {} as Context);
    const several = Object.entries(multiValueHeaders).map(([name, values]) => [name, values?.join(", ")] as const);
    const all = [...Object.entries(headers), ...several];
    return {
      status: statusCode,
      headers: Object.fromEntries(all.map(([name, value]) => [String(name).toLowerCase(), String(value)])),
      body,
    };
  }

  async #byIam(arrived: Arrived): Promise<Admitted | Answer> {
    const { region } = this.#stage.account.deployment;
    const found = await verify(arrived, this.#options.principals, region, this.#options.now());
    return typeof found === "string" ? refusal(403, "Forbidden", found) : { userArn: found.userArn, principalId: null };
  }

  async #byAuthorizer(arrived: Arrived, place: Place, rest: string): Promise<Admitted | Answer> {
    const unauthorized = refusal(401, "The signature is missing, too old or wrong", "Unauthorized");
    const given = new Set(arrived.headers.map(([name]) => name.toLowerCase()));
    if (Object.values(signatureHeaders).some((header) => !given.has(header))) return unauthorized;
    const { region, account } = this.#stage.account.deployment;
    const methodArn = `arn:aws:execute-api:${region}:${account}:virtual/hmac/${arrived.method}${rest}`;
    try {
      const keys = { secrets: this.#secrets, secretId, now: () => this.#options.now() };
      const { principalId, policyDocument } = await authorizeCaller(
        authorizerEvent(arrived, place, methodArn),
        keys,
        this.#options.log ?? quiet,
      );
      const isAllowed = JSON.stringify(policyDocument.Statement).includes(`"Resource":"${methodArn}"`);
      return isAllowed ? { userArn: null, principalId } : refusal(403, "Forbidden", "User is not authorized");
    } catch (error) {
      // API Gateway takes this one word for a 401, and every other failure for its own.
      if (error instanceof Error && error.message === "Unauthorized") return unauthorized;
      return refusal(500, "Internal Server Error", "null");
    }
  }
}
