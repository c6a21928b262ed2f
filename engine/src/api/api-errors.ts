// Errors of the control API: code, HTTP status and help. The response body is always an ApiError.
import type { ServerResponse } from 'node:http'
import type { ApiError } from '../observe/status.js'

interface ApiErrorRow {
  readonly status: number
  /** What it means, one sentence, for the generated page. */
  readonly sentence: string
  /** What to do about it. */
  readonly help: string
}

export const API_ERRORS = {
  API_BAD_REQUEST: {
    status: 400,
    sentence: 'A parameter of the request, or its body, is not valid.',
    help: 'GET /api/v1/openapi.json lists the parameters',
  },
  API_TOKEN_NEEDED: {
    status: 401,
    sentence: 'The request needs the token of the control API.',
    help: 'send "Authorization: Bearer" with the token in stateDir/api.token',
  },
  API_ORIGIN_REFUSED: {
    status: 403,
    sentence: 'A web page of another origin sent the request.',
    help: 'web pages from other origins may not use the control API',
  },
  API_NOT_FOUND: {
    status: 404,
    sentence: 'The path does not exist, or names a node or viewer that does not exist.',
    help: 'GET /api/v1/openapi.json lists the paths, GET /api/v1/status the nodes, GET /api/v1/clients the viewers',
  },
  API_METHOD_NOT_ALLOWED: {
    status: 405,
    sentence: 'The path does not support this method.',
    help: 'use one of the methods in the header Allow',
  },
  API_TOO_LARGE: {
    status: 413,
    sentence: 'The body of the request is too large.',
    help: 'send less: GET /api/v1/openapi.json lists the size limits of bodies',
  },
  API_JSON_NEEDED: {
    status: 415,
    sentence: 'The body of the request is not declared as JSON.',
    help: 'send "Content-Type: application/json"',
  },
  // RFC 9110 section 15.5.20: this server is not responsible for the requested authority.
  API_HOST_REFUSED: {
    status: 421,
    sentence: 'The Host header does not name this server.',
    help: 'use an address or localhost, or add the name to engine.api.hosts',
  },
  API_TOO_MANY_READERS: {
    status: 503,
    sentence: 'As many clients as allowed are reading events.',
    help: 'close readers that are not needed, and try again',
  },
  API_BUG: { status: 500, sentence: 'The engine failed to handle the request.', help: 'the log has the details' },
} as const satisfies Record<string, ApiErrorRow>

export type ApiErrorCode = keyof typeof API_ERRORS

export const JSON_TYPE = 'application/json; charset=utf-8'

/** Headers of every response of the control API: never cached, never sniffed as another type. */
export const ANSWER_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

export function apiError(code: ApiErrorCode, message: string): ApiError {
  return { error: { code, message, help: API_ERRORS[code].help } }
}

/** Responds with an error to a request that has not reached the router. */
export function respondError(
  response: ServerResponse,
  code: ApiErrorCode,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = JSON.stringify(apiError(code, message))
  response.writeHead(API_ERRORS[code].status, {
    ...ANSWER_HEADERS,
    'content-type': JSON_TYPE,
    'content-length': Buffer.byteLength(body),
    ...headers,
  })
  response.end(body)
}
