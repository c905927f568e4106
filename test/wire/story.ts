import { refusalOf, type Shape, shapeOf } from "./shape.ts";
import type { Site } from "./sides.ts";

/** Writes a step's answer or refusal down, and gives the answer for the steps that follow; a refused one answers nothing. */
export type Note = <T extends object>(step: string, answer: Promise<T>) => Promise<Partial<T>>;

/** The same calls in the same order, told to either side. */
export type Story = (site: Site, note: Note) => Promise<void>;

/** Each step's shape, by the step's name: the operation, and what is particular about this call of it. */
export async function tell(stories: readonly Story[], site: Site): Promise<Map<string, Shape>> {
  const heard = new Map<string, Shape>();
  const note: Note = async (step, answer) => {
    if (heard.has(step)) throw new Error(`two steps are called ${step}`);
    try {
      const given = await answer;
      heard.set(step, shapeOf(given));
      return given;
    } catch (error) {
      // A gap in the virtual world is no answer of AWS's.
      if ((error as Error).name === "SimulationGap") throw error;
      heard.set(step, refusalOf(error));
      return {};
    }
  };
  for (const story of stories) await story(site, note);
  return heard;
}
