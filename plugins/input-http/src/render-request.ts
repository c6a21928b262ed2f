// The request of an attempt, RFC 9112 section 3: one GET, and no second one on the same connection.
import { Buffer } from 'node:buffer'

/** Names of `headers` in lower case; all text is Latin-1. */
export function renderRequest(url: URL, target: string, headers: Readonly<Record<string, string>>): Uint8Array {
  const lines = [
    `GET ${target} HTTP/1.1`,
    `Host: ${url.host}`,
    ...Object.entries(headers).map(([name, value]) => `${capitals(name)}: ${value}`),
    'Connection: close',
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** `user-agent` as `User-Agent`: some servers know no other form. */
function capitals(name: string): string {
  return name.replaceAll(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}
