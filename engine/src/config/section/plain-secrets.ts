// The secrets in the value of an option: what is masked everywhere, and warned of where it stands in a file as it is.
import type { OptionKind } from '../../plugin/option-kind.js'
import { decoded, isDistinct, isLikely, isNumber, secretsInText, showsSecret } from '../../graph/named-secrets.js'
import { isNamedAsSecret, isSecretVariable, optionSecret } from '../../processes/argument-secrets.js'
import type { Place } from '../report/diagnostic.js'

/** As they are written, and without the encoding of a URL. */
export function secretsIn(kind: OptionKind, value: string): readonly string[] {
  const { name, secretParameters = [], secretParts } = kind
  if (name === 'secret') return [value]
  const inUrl =
    name === 'url' ? [passwordOf(value), ...secretParameters.flatMap((each) => parametersOf(value, each))] : []
  return formsOf([...inUrl, ...(secretParts?.(value) ?? [])])
}

/**
 * Those in text of any kind, by the names that they usually have: in URLs, in arguments, in variables of a program, in
 * headers. Without numbers, words and short values, which are masked in the text itself alone. `path`: where the option
 * is; `before`: the text before it, in a list.
 */
export function namedSecretsIn(value: string, path: readonly PropertyKey[], before?: string): readonly string[] {
  const [map, key] = path.slice(-2)
  if (map === 'env' && isSecretVariable(String(key))) return [value].filter(isLikely)
  const header = /^(?:proxy-)?authorization$/i.test(String(key)) ? secretsInText(`Authorization: ${value}`) : []
  // A StreamID may be encoded as a whole.
  const inText = formsOf([...secretsInText(value), ...secretsInText(decoded(value))]).filter(isDistinct)
  return [...inText, ...formsOf([...header, optionSecret(value, before) ?? '']).filter(isLikely)]
}

/** Whether somebody who reads the file sees a secret in the value: words and short ones too, which are not masked elsewhere. */
export function showsNamedSecret(value: string, path: readonly PropertyKey[], before?: string): boolean {
  const [map, key] = path.slice(-2)
  const isShown = (text: string | undefined): boolean => text !== undefined && text !== '' && !isNumber(text)
  if (map === 'env') return isNamedAsSecret(String(key)) && isShown(value)
  const isHeader = /^(?:proxy-)?authorization$/i.test(String(key))
  const texts = [value, decoded(value), ...(isHeader ? [`Authorization: ${value}`] : [])]
  return texts.some(showsSecret) || isShown(optionSecret(value, before))
}

function formsOf(written: readonly string[]): readonly string[] {
  return [...new Set(written.flatMap((text) => [text, decoded(text)]))].filter(
    (text) => text !== '' && !text.includes('${'),
  )
}

/** Whether the scalar at that place is the value itself: nothing in it comes from a secret, a variable or a parameter. */
export function isPlain({ file, start, end }: Place): boolean {
  return !file.text.slice(start, end).includes('${')
}

function passwordOf(text: string): string {
  return text.includes('@') && URL.canParse(text) ? new URL(text).password : ''
}

/** Not as URLs are parsed: those of libsrt have `#` in their query. */
function parametersOf(text: string, key: string): readonly string[] {
  const query = text.slice(text.indexOf('?') + 1)
  return query.split('&').flatMap((pair) => (pair.startsWith(`${key}=`) ? [pair.slice(key.length + 1)] : []))
}
