// The routes by which the status page signs in: with the token of the control API, for a cookie.
import { z } from 'zod'
import type { PageSessions } from '../status-page/page-sessions.js'
import type { Route } from './route.js'

export const SESSION_PATH = '/api/v1/session'
const MOST_BYTES = 4096

const signInSchema = z.strictObject({
  token: z.string().min(1).max(1000).meta({ description: 'The token of the control API' }),
})

export function sessionRoutes(sessions: PageSessions): readonly Route[] {
  return [
    {
      method: 'GET',
      path: SESSION_PATH,
      summary: 'Whether the browser has signed in at the status page',
      answers: { 200: 'SessionStatus' },
      answer: ({ header }) => {
        return {
          status: 200,
          json: { signedIn: sessions.has({ host: header('host'), cookie: header('cookie') }) },
        }
      },
    },
    {
      method: 'POST',
      path: SESSION_PATH,
      summary:
        'Signs a browser in: a cookie takes the place of the token for 12 hours. Needs no header with the token.',
      needsToken: false,
      body: { schema: signInSchema, mostBytes: MOST_BYTES },
      answers: { 200: 'SessionStatus', 401: 'ApiError' },
      answer: ({ body, header, isSecure = false }) => {
        const { token } = body as z.infer<typeof signInSchema>
        const cookie = sessions.open(token, header('host'), isSecure)
        if (cookie === undefined) return { error: 'API_TOKEN_NEEDED', message: 'this is not the token of this engine' }
        return { status: 200, json: { signedIn: true }, headers: { 'set-cookie': cookie } }
      },
    },
    {
      method: 'DELETE',
      path: SESSION_PATH,
      summary: 'Signs the browser out; what it reads ends',
      answers: { 200: 'SessionStatus' },
      answer: ({ header, isSecure = false }) => {
        const cookie = sessions.close({ host: header('host'), cookie: header('cookie') }, isSecure)
        return { status: 200, json: { signedIn: false }, headers: { 'set-cookie': cookie } }
      },
    },
  ]
}
