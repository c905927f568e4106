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
import { Construct } from "constructs";
import type { Options } from "./options.ts";
import type { Statement } from "./permissions/statements.ts";

/** The alarm on defects counts these. */
export const defects = { metricNamespace: "Cloister", metricName: "Defects" } as const;

export interface StepLambdaProps {
  /** The step's name; the function is `cloister-<step>`. */
  readonly step: string;
  readonly code: Code;
  readonly environment: Readonly<Record<string, string>>;
  readonly statements: readonly Statement[];
  readonly options: Options;
}

/** A step as Lambda runs it: function, role with exactly its calls' actions, log group, and the published version that machines call. */
export class StepLambda extends Construct {
  readonly function: LambdaFunction;
  readonly role: IRole;
  /**
   * A version never changes, while an alias would move under an execution that has begun: machines name the version itself, and old
   * ones stay, for the executions whose definition names them.
   */
  readonly version: Version;

  constructor(scope: Construct, id: string, { step, code, environment, statements, options }: StepLambdaProps) {
    super(scope, id);
    const functionName = `cloister-${step}`;
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
      description: `Cloister: the calls of ${step}`,
      inlinePolicies: {
        calls: PolicyDocument.fromJson({ Version: "2012-10-17", Statement: statements }),
        log: PolicyDocument.fromJson({ Version: "2012-10-17", Statement: [writeLog] }),
      },
    });
    this.function = new LambdaFunction(this, "Function", {
      functionName,
      description: `Cloister: ${step}`,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: "index.handler",
      code,
      role: this.role,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      // More memory is more CPU: a bundle loads in a fifth of a second with this, and a step waits for AWS most of its time.
      memorySize: 512,
      // The pause before a destroy counts on it (lifecycle 4), and every state's own timeout is longer.
      timeout: Duration.seconds(60),
      environment: { NODE_OPTIONS: "--enable-source-maps", ...environment },
      tracing: options.xray ? Tracing.ACTIVE : Tracing.DISABLED,
      currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN },
    });
    this.version = this.function.currentVersion;
  }
}
