import type { APIGatewayProxyEvent, APIGatewayRequestAuthorizerEvent } from "aws-lambda";

type Headed = Pick<APIGatewayProxyEvent | APIGatewayRequestAuthorizerEvent, "multiValueHeaders">;

/**
 * A header by its name in small letters; the empty text where there is none. Authorizer and handler read by this one rule: several of a
 * name become one value, as HTTP has it, so that none of them is seen here and overlooked there.
 */
export function headerOf({ multiValueHeaders }: Headed, name: string): string {
  return Object.entries(multiValueHeaders ?? {})
    .flatMap(([header, values = []]) => (header.toLowerCase() === name ? values : []))
    .join(", ");
}
