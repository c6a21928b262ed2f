// A request to a running engine, for the verbs that need one: finds the address and the token, and reports what fails.
import type { z } from 'zod'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { apiUrl, askApi, findToken, findWritingToken } from './request-api.js'
import type { ApiReply, ApiRequest } from './request-api.js'

export interface EngineAddress {
  readonly api?: string | undefined
  /** The folder that contains the state folder. */
  readonly folder: string
}

/** The reply, or the exit code if the request could not be sent or got no reply, which is then reported. */
export async function askEngine(
  { err, env }: CliStreams,
  { api, folder }: EngineAddress,
  path: string,
  method: 'GET' | 'POST' | 'DELETE',
  request: ApiRequest = {},
): Promise<ApiReply | number> {
  const url = apiUrl(api, env)
  if (url === undefined) {
    err.write('error: the control API must be an http or https URL, such as http://127.0.0.1:9990\n')
    return EXIT.usage
  }
  const find = method === 'GET' ? findToken : findWritingToken
  const reply = await askApi({ url, token: await find(url, env, folder) }, path, method, request)
  if (reply.reached || reply.status !== undefined) return reply
  err.write(printable(`error: ${reply.why}\n`))
  return EXIT.unreachable
}

/** The body of the reply, or the exit code after reporting a refusal or a body that does not fit the schema. */
export function answerOf<T>({ err }: CliStreams, reply: ApiReply, schema: z.ZodType<T>): T | number {
  const parsed = schema.safeParse(reply.json)
  if (parsed.success) return parsed.data
  if (!reply.reached) return refused({ err }, reply)
  err.write('error: the reply does not come from a control API of this version\n')
  return EXIT.unreachable
}

/** Reports the refusal, and returns the exit code. */
export function refused(
  { err }: Pick<CliStreams, 'err'>,
  reply: Extract<ApiReply, { readonly reached: false }>,
  code: number = EXIT.failed,
): number {
  err.write(printable(`error: ${reply.why}\n`))
  return code
}
