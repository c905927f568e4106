import type { APIGatewayProxyEvent, APIGatewayRequestAuthorizerEvent } from "aws-lambda";

type Headed = Pick<APIGatewayProxyEvent | APIGatewayRequestAuthorizerEvent, "multiValueHeaders">;

/**
 * The path as the routes know it. Behind a custom domain API Gateway puts that domain's own path before it, in `path` too; `resource` has it
 * nowhere (aws-powertools/powertools-lambda#34 shows such an event).
 */
export function routePath({ path, resource }: Pick<APIGatewayProxyEvent, "path" | "resource">): string {
  const segments = (text: string) => text.split("/").filter((segment) => segment !== "");
  return `/${segments(path).slice(-segments(resource).length).join("/")}`;
}

/**
 * A header by its name in small letters; the empty text where there is none. Authorizer and handler read by this one rule: several of a
 * name become one value, as HTTP has it, so that none of them is seen here and overlooked there.
 */
export function headerOf({ multiValueHeaders }: Headed, name: string): string {
  return Object.entries(multiValueHeaders ?? {})
    .flatMap(([header, values = []]) => (header.toLowerCase() === name ? values : []))
    .join(", ");
}
