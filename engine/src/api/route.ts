// One route of the control API: what it takes, and what it can return.
import type { ServerResponse } from 'node:http'
import type { z } from 'zod'
import type { ApiErrorCode } from './api-errors.js'
import type { SchemaName } from './schemas.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a route receives: path parameters decoded, the query checked by the route's schema. */
export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  /** The client may read the status; always true except on open paths. */
  readonly mayRead: boolean
  /** It came over TLS, also to a proxy in front; by default it did not. */
  readonly isSecure?: boolean
  /** As parsed by the route's schema; undefined if the route takes none. */
  readonly body?: unknown
  /** A header of the request, by its name in lower case. */
  header(name: string): string | undefined
  /** Whether the header Accept names this type. */
  accepts(type: string): boolean
}

/**
 * `isTagged`: with an ETag, and 304 for clients that have it (RFC 9110 section 13.1.2). `type`: by default text/plain.
 */
export type RouteAnswer =
  | {
      readonly status: number
      readonly json: unknown
      readonly isTagged?: boolean
      readonly headers?: Readonly<Record<string, string>>
    }
  | {
      readonly status: number
      readonly text: string
      readonly type?: string
      readonly isTagged?: boolean
      /** Of the text, where it is known; by default it is computed. */
      readonly tag?: string
    }
  /** Writes the response itself, and ends it when it likes. */
  | { stream(response: ServerResponse): void }
  | { readonly error: ApiErrorCode; readonly message: string }

export interface Route {
  readonly method: Method
  /** Parameters in braces: `/api/v1/pipelines/{pipeline}`. */
  readonly path: string
  readonly summary: string
  /** Schema of the query; unknown parameters are refused. By default there are none. */
  readonly query?: z.ZodObject
  /**
   * The token is needed even where reading needs none; `false`: it is not needed. By default only for methods that
   * change something.
   */
  readonly needsToken?: boolean
  /** By default a body is ignored. */
  readonly body?: {
    readonly schema: z.ZodType
    readonly mostBytes: number
    /** A request without a body has `undefined`. By default a body is needed. */
    readonly isOptional?: boolean
  }
  /** By status: the name of a schema, or the description of a text or another document. */
  readonly answers: Readonly<
    Record<number, SchemaName | { readonly text: string } | { readonly document: string } | { readonly stream: string }>
  >
  /** Called for each request that has passed the guard and the schemas. */
  answer(request: RouteRequest): RouteAnswer | Promise<RouteAnswer>
}
