import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { made, type Say } from "./cache.ts";
import { run } from "./shell.ts";

const days = "3650";

/** The lab's own certificate authority, and AWS's certificate from it. Both stay on this machine; every node image trusts the first. */
export const makeAuthority = (region: string, say: Say): Promise<string> =>
  made("authority", region, say, async (folder) => {
    const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    await openssl("req", "-x509", ...key, "-days", days, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Cloister lab");
    await openssl("req", ...key, "-keyout", "aws.key", "-out", "aws.csr", "-subj", "/CN=aws");
    const names = [`*.${region}.amazonaws.com`, `*.s3.${region}.amazonaws.com`, "*.elb.amazonaws.com"];
    writeFileSync(join(folder, "aws.ext"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
    const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "aws.ext"];
    await openssl("x509", "-req", "-in", "aws.csr", ...signing, "-days", days, "-out", "aws.crt");
  });
