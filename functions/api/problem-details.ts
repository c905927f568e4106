import type { Problem } from "../domain/problem.ts";

const titles = {
  400: "The request is not valid",
  404: "There is no such thing",
  409: "It is in conflict with what stands",
  413: "The request is too large",
  500: "Cloister failed",
  503: "AWS did not answer; try again",
} as const;

/** RFC 9457: what went wrong, and every field that is wrong, at once. */
export function problemDetails(status: keyof typeof titles, detail: string, problems: readonly Problem[] = []): Response {
  const errors = problems.map(({ path, problem }) => ({
    pointer: path === "" ? "" : `/${path.replaceAll(".", "/")}`,
    detail: problem,
  }));
  const body = { type: "about:blank", title: titles[status], status, detail, ...(errors.length > 0 && { errors }) };
  return new Response(JSON.stringify(body), { status, headers: { "content-type": "application/problem+json" } });
}
