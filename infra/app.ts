import { Code } from "aws-cdk-lib/aws-lambda";
import { cloister } from "./cloister.ts";

const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;

try {
  cloister({
    ...(account !== undefined && region !== undefined && { env: { account, region } }),
    code: (step) => Code.fromAsset(`dist/${step}`),
  }).app.synth();
} catch (error) {
  if (!(error instanceof RangeError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
