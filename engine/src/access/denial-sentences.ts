// What a person reads whom no access provider admits: the body of the response.
import type { RefusedAccess } from '../plugin/auth.js'
import type { Denial } from './authorize.js'

const SENTENCES: Readonly<Record<RefusedAccess, string>> = {
  'no-credentials': 'Sign in: this needs a user name and password, a token or a signed link.',
  'bad-credentials': 'The user name, password or token is wrong.',
  'bad-signature': 'The signature of this link is wrong. Ask for a new link.',
  expired: 'This link has expired. Ask for a new one.',
  denied: 'Access is denied.',
  'wrong-path': 'This link or token is for another path.',
  'wrong-action': 'These credentials are for another action.',
  'wrong-protocol': 'Access is not granted over this protocol.',
  address: 'Access is not granted from your address.',
  'too-many-failures': 'There were too many failed attempts from your address. Try again later.',
  failed: 'Access could not be checked. Try again in a moment.',
  busy: 'Too many passwords are being checked. Try again in a moment.',
}

/** Without the end of the line. */
export function denialSentence({ reason, why }: Denial): string {
  const sentence = SENTENCES[reason]
  return why === undefined ? sentence : `${sentence} (${why})`
}
