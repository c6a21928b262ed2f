// One route of the control API: what it takes, and what it may answer.
import type { z } from 'zod'
import type { ApiErrorCode } from './api-errors.js'
import type { SchemaName } from './schemas.js'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/** What a route gets: path parameters decoded, the query checked by the route's schema. */
export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | undefined>>
  /** May see what the API knows; always true but for open paths. */
  readonly mayRead: boolean
  /** As the route's schema returned it; undefined where the route takes none. */
  readonly body?: unknown
  /** Whether the header Accept names this type. */
  accepts(type: string): boolean
}

/** `isTagged`: with an ETag, and 304 for who has it (RFC 9110 section 13.1.2). `type`: by default text/plain. */
export type RouteAnswer =
  | { readonly status: number; readonly json: unknown; readonly isTagged?: boolean }
  | { readonly status: number; readonly text: string; readonly type?: string; readonly isTagged?: boolean }
  | { readonly error: ApiErrorCode; readonly message: string }

export interface Route {
  readonly method: Method
  /** Parameters in braces: `/api/v1/pipelines/{pipeline}`. */
  readonly path: string
  readonly summary: string
  /** Checked; unknown parameters are refused. By default there are none. */
  readonly query?: z.ZodObject
  /** By default a body is not looked at. */
  readonly body?: { readonly schema: z.ZodType; readonly mostBytes: number }
  /** By status: the name of a schema, or what a text or other document is. */
  readonly answers: Readonly<Record<number, SchemaName | { readonly text: string } | { readonly document: string }>>
  answer(request: RouteRequest): RouteAnswer | Promise<RouteAnswer>
}
