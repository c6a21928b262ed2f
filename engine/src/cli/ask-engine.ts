// What the commands that speak with a running engine have in common: where it is, who asks, what an answer has to be.
import type { z } from 'zod'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { apiUrl, askApi, findToken, findWritingToken } from './request-api.js'
import type { ApiReply, ApiRequest } from './request-api.js'

export interface EngineAddress {
  readonly api?: string | undefined
  /** Below it the state folder is looked for. */
  readonly folder: string
}

/** A number is the exit code of a question that can't be asked or was not answered, which has been said. */
export async function askEngine(
  { err, env }: CliStreams,
  { api, folder }: EngineAddress,
  path: string,
  method: 'GET' | 'POST' | 'DELETE',
  request: ApiRequest = {},
): Promise<ApiReply | number> {
  const url = apiUrl(api, env)
  if (url === undefined) {
    err.write('error: --api, --against and ENGINE_API take a URL such as http://127.0.0.1:9990\n')
    return EXIT.usage
  }
  const find = method === 'GET' ? findToken : findWritingToken
  const reply = await askApi({ url, token: await find(url, env, folder) }, path, method, request)
  if (reply.reached || reply.status !== undefined) return reply
  err.write(printable(`error: ${reply.why}\n`))
  return EXIT.unreachable
}

/** The answer in the shape that it has to have, or an exit code. */
export function answerOf<T>({ err }: CliStreams, reply: ApiReply, schema: z.ZodType<T>): T | number {
  const parsed = schema.safeParse(reply.json)
  if (parsed.success) return parsed.data
  if (!reply.reached) return refused({ err }, reply)
  err.write('error: what answers is no control API of this version\n')
  return EXIT.unreachable
}

export function refused(
  { err }: Pick<CliStreams, 'err'>,
  reply: Extract<ApiReply, { readonly reached: false }>,
): number {
  err.write(printable(`error: ${reply.why}\n`))
  return EXIT.failed
}
