import type { Definition } from "../world/asl/definition.ts";
import { graphStyle, graphSvg } from "./graph.ts";
import { themed } from "./theme.ts";

/** A drawing that stands alone and follows the reader's colour scheme, for docs/. `machine` is the definition's text. */
export function pictureOf(machine: string): string {
  const style = `<style>${themed(`.graph{background:var(--surface)}${graphStyle}`)}</style>`;
  return `${graphSvg(JSON.parse(machine) as Definition).replace("</title>", `</title>\n${style}`)}\n`;
}
