import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { type IRole, PolicyDocument, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import {
  Architecture,
  type Code,
  Function as LambdaFunction,
  LoggingFormat,
  Runtime,
  Tracing,
  type Version,
} from "aws-cdk-lib/aws-lambda";
import { FilterPattern, LogGroup, MetricFilter } from "aws-cdk-lib/aws-logs";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";
import type { Options } from "./options.ts";
import type { Statement } from "./permissions/statements.ts";

/** The alarm on defects counts these. */
export const defects = { metricNamespace: "Cloister", metricName: "Defects" } as const;

export interface CloisterFunctionProps {
  /** A step's name, or that of a function that no machine calls; deployed it is `cloister-<name>`. */
  readonly name: string;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly Statement[];
  readonly options: Options;
  /** 60 s for a step: the pause before a destroy counts on it (lifecycle 4), and every state's own timeout is longer. */
  readonly timeoutSeconds?: number;
  /** Where an event goes that the function failed on three times; for functions that events start. */
  readonly deadLetters?: IQueue;
}

/** A handler as Lambda runs it: function, log group, and a role with exactly its calls' actions. */
export class CloisterFunction extends Construct {
  readonly function: LambdaFunction;
  readonly role: IRole;
  constructor(scope: Construct, id: string, props: CloisterFunctionProps) {
    super(scope, id);
    const { name, code, environment, statements, options, timeoutSeconds = 60, deadLetters } = props;
    const functionName = `cloister-${name}`;
    const logGroup = new LogGroup(this, "Log", {
      logGroupName: `/aws/lambda/${functionName}`,
      retention: options.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new MetricFilter(this, "Defects", {
      logGroup,
      ...defects,
      filterPattern: FilterPattern.stringValue("$.error.name", "=", "DefectError"),
      metricValue: "1",
    });
    const writeLog = {
      Effect: "Allow",
      Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource: [`${logGroup.logGroupArn}`],
    };
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: `Cloister: the calls of ${name}`,
      inlinePolicies: {
        calls: PolicyDocument.fromJson({ Version: "2012-10-17", Statement: statements }),
        log: PolicyDocument.fromJson({ Version: "2012-10-17", Statement: [writeLog] }),
      },
    });
    this.function = new LambdaFunction(this, "Function", {
      functionName,
      description: `Cloister: ${name}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // More memory is more CPU: a bundle loads in a fifth of a second with this, and a step waits for AWS most of its time.
      memorySize: 512,
      timeout: Duration.seconds(timeoutSeconds),
      ...(deadLetters !== undefined && { deadLetterQueue: deadLetters, retryAttempts: 2, maxEventAge: Duration.hours(6) }),
      environment: { NODE_OPTIONS: "--enable-source-maps", ...environment },
      tracing: options.xray ? Tracing.ACTIVE : Tracing.DISABLED,
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
  }

  /**
   * What machines call. A version never changes, while an alias would move under an execution that has begun; old ones stay, for the
   * executions whose definition names them.
   */
  get version(): Version {
    return this.function.currentVersion;
  }
}
