// JSON for stdout, indented for people.

/** Ends with a newline. */
export function renderJsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}
