// Reads the body of a request, up to a limit.

/** Undefined if the body is larger; the rest of it is not read. */
export async function readBody(request: Request, mostBytes: number): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > mostBytes) return undefined
  const parts: Uint8Array[] = []
  let length = 0
  const stream: AsyncIterable<Uint8Array> | null = request.body
  for await (const part of stream ?? []) {
    length += part.length
    if (length > mostBytes) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}
