// The challenge of FMS and Wowza for publishers (`authmod=adobe`): the server refuses `connect` twice, first saying that it
// wants a user, then with a salt and a challenge. Each answer is a query for the app of the next connection.
import { createHash, randomBytes } from 'node:crypto'

export interface Credentials {
  readonly user: string
  readonly password: string
}

/** The query of the next attempt; undefined if the server does not ask, or has refused the credentials. */
export function answerAdobeChallenge(
  description: string,
  { user, password }: Credentials,
  nonce = randomBytes(4).toString('hex'),
): string | undefined {
  if (!description.includes('authmod=adobe')) return undefined
  const name = encodeURIComponent(user)
  if (description.includes('code=403 need auth')) return `authmod=adobe&user=${name}`
  const said = (key: string): string | undefined => new RegExp(`[?&]${key}=([^&\\s\\]]*)`).exec(description)?.[1]
  if (said('reason') !== 'needauth') return undefined
  const [salt, challenge, opaque] = [said('salt') ?? '', said('challenge') ?? '', said('opaque')]
  const salted = md5(user + salt + password)
  const response = md5(salted + (opaque ?? challenge) + nonce)
  const tail = opaque === undefined ? '' : `&opaque=${opaque}`
  return `authmod=adobe&user=${name}&challenge=${nonce}&response=${response}${tail}`
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('base64')
}
