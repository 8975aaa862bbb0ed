// Requests and answers as one JSON text a line: {id, method, args} → {id, value} or {id, error}.

import { createInterface } from "node:readline";

export function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

export function serve(handle) {
  const lines = createInterface({ input: process.stdin });
  lines.on("line", async (line) => {
    const { id, method, args } = JSON.parse(line);
    try {
      write({ id, ...(await handle(method, args)) });
    } catch (error) {
      write({ id, error: { reason: error.name, message: `${error.message}` } });
    }
  });
  return new Promise((resolve) => lines.on("close", resolve));
}
