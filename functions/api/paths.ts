/** Every path of the front door with its methods: what API Gateway lets through, the router knows, and the document describes. */
export const paths = {
  "/clusters": ["GET", "POST"],
  "/clusters/{name}": ["GET", "DELETE"],
  "/clusters/{name}/certificate": ["GET"],
  "/clusters/{name}/rebuild": ["POST"],
  "/requests/{ticket}": ["GET"],
  "/openapi.json": ["GET"],
} as const satisfies Readonly<Record<string, readonly ("GET" | "POST" | "DELETE")[]>>;
