// Takes secrets out of a text that repeats what an upstream sent: pages and headers of errors repeat what was asked for.
// Such a text has been shortened and made plain (see show-text.ts), and so may the secrets in it have been.
import { Buffer } from 'node:buffer'
import { CUT_MARK } from '@millrace/engine/plugin'
import { plainText } from './show-text.js'

/** A shorter text, or part of a secret, is part of too many words. */
const SHORTEST = 4
const CENSORED = '***'
/** A quotation that was not cut may still end where the bytes of the upstream had come to. */
const ENDS = [CUT_MARK, '"']

export function maskSecrets(text: string, secrets: readonly string[]): string {
  const forms = [...new Set(secrets.flatMap((secret) => formsOf(secret)))].filter(({ length }) => length >= SHORTEST)
  // A secret may contain another one.
  forms.sort((a, b) => b.length - a.length)
  let masked = text
  for (const form of forms) masked = masked.replaceAll(form, CENSORED)
  for (const form of forms) for (const end of ENDS) masked = maskRests(masked, form, end)
  return masked
}

/** As text, and as its bytes look in a head, which is Latin-1; plain, and quoted. */
function formsOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, 'utf8').toString('latin1')
  const texts = [secret, plainText(secret, secret.length), plainText(bytes, bytes.length)]
  return texts.flatMap((text) => [text, JSON.stringify(text).slice(1, -1), text.toLowerCase()])
}

/** In place of a beginning of the form in front of each `end`, and of the end of the text, which the upstream may have cut. */
function maskRests(text: string, form: string, end: string): string {
  const shown = text.split(end).map((part) => {
    for (let length = Math.min(form.length - 1, part.length); length >= SHORTEST; length--)
      if (part.endsWith(form.slice(0, length))) return `${part.slice(0, -length)}${CENSORED}`
    return part
  })
  return shown.join(end)
}
