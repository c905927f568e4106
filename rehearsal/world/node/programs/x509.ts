import { X509Certificate } from "node:crypto";

/** What a client certificate says (RFC 5280): who it is for, and until when. */
export interface CertificateFacts {
  readonly name: string;
  readonly organizations: readonly string[];
  readonly begins: Date;
  readonly ends: Date;
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const hex = (text: string): Buffer => Buffer.from(text, "hex");
/** 2.5.4.3 and 2.5.4.10; 1.2.840.113549.1.1.11 and .1. */
const oid = {
  CN: hex("0603550403"),
  O: hex("060355040a"),
  sha256WithRsa: hex("06092a864886f70d01010b"),
  rsa: hex("06092a864886f70d010101"),
};
const none = hex("0500");
const named = (kind: "CN" | "O", text: string): Buffer => der(0x31, sequence(oid[kind], der(0x0c, Buffer.from(text))));
const utc = (time: Date): Buffer => der(0x17, Buffer.from(`${time.toISOString().slice(2, 19).replaceAll(/[-T:]/g, "")}Z`));
const bits = (content: Buffer): Buffer => der(0x03, hex("00"), content);
/** As long as a key or a signature of 2048 bits; nobody here verifies one. */
const number2048 = Buffer.alloc(256, 0x41);

/** A certificate that every reader takes, in PEM; its signature is none. */
export function certificate({ name, organizations, begins, ends }: CertificateFacts): string {
  const algorithm = sequence(oid.sha256WithRsa, none);
  const key = sequence(sequence(oid.rsa, none), bits(sequence(der(0x02, number2048), der(0x02, hex("010001")))));
  const subject = sequence(...organizations.map((organization) => named("O", organization)), named("CN", name));
  const version = der(0xa0, hex("020102"));
  const facts = [
    der(0x02, hex("01")),
    algorithm,
    sequence(named("CN", "kubernetes")),
    sequence(utc(begins), utc(ends)),
    subject,
    key,
  ];
  const base64 = sequence(sequence(version, ...facts), algorithm, bits(number2048)).toString("base64");
  return `-----BEGIN CERTIFICATE-----\n${(base64.match(/.{1,64}/g) ?? []).join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** The certificate in the text, or null where there is none. */
export const readCertificate = (text: string): X509Certificate | null =>
  text.includes("-----BEGIN CERTIFICATE-----") ? new X509Certificate(text) : null;
