import { readFileSync, writeFileSync } from "node:fs";
import { pictureOf } from "../rehearsal/report/picture.ts";

const root = new URL("../", import.meta.url);
const machine = readFileSync(new URL("statemachine/build-cluster.asl.json", root), "utf8");
writeFileSync(new URL("docs/build-cluster.svg", root), pictureOf(machine));
