// What the hook is asked: one JSON object, with those secrets that the options allow to be sent.
import type { AccessRequest } from '@millrace/engine/plugin'

export const SECRETS = ['token', 'query', 'password'] as const

type SentSecret = (typeof SECRETS)[number]

export interface QuestionOptions {
  readonly send: readonly SentSecret[]
  /** Query parameter that carries the token. */
  readonly parameter: string
}

export interface Question {
  /** Two clients that present the same have the same text. */
  readonly text: string
  /** The credentials that the client has presented and the hook sees. Undefined: none. */
  readonly credential: string | undefined
}

const LONGEST_AGENT = 256

export function makeQuestion(request: AccessRequest, { send, parameter }: QuestionOptions): Question {
  const { action, protocol, stream, path, address, user, query, agent } = request
  const token = send.includes('token') ? tokenOf(request, parameter) : undefined
  const password = send.includes('password') ? request.password : undefined
  const text = JSON.stringify({
    ...{ action, protocol, stream, path, address, user, token, password },
    query: send.includes('query') && query !== '' ? query : undefined,
    agent: agent?.slice(0, LONGEST_AGENT),
  })
  const isNone = token === undefined && password === undefined
  return { text, credential: isNone ? undefined : JSON.stringify([user, token, password]) }
}

function tokenOf({ token, query = '' }: AccessRequest, parameter: string): string | undefined {
  if (token !== undefined) return token
  const [given, ...more] = new URLSearchParams(query).getAll(parameter)
  // Two programs may interpret two values differently.
  return more.length === 0 ? given : undefined
}
