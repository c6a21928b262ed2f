// Renders a JSON value as YAML on one line, for a place inside a file: in a flow collection (`{ a: 1 }`) fewer texts can
// stay unquoted than after a key of a block.
import { Document, isScalar, visit } from 'yaml'

/** Control characters, and ends of lines and paragraphs. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u

/** `inFlow`: the value stands between { } or [ ]. */
export function renderValue(value: unknown, inFlow: boolean): string {
  const isCollection = typeof value === 'object' && value !== null
  const document = new Document(inFlow || isCollection ? [value] : { k: value })
  visit(document, {
    Scalar: (_, node) => {
      if (isScalar(node) && typeof node.value === 'string' && CONTROL.test(node.value)) node.type = 'QUOTE_DOUBLE'
    },
    Collection: (_, node) => {
      if (inFlow || isCollection) node.flow = true
    },
  })
  const text = document.toString({ lineWidth: 0, blockQuote: false, flowCollectionPadding: true }).trimEnd()
  if (!inFlow && !isCollection) return text.slice('k: '.length)
  // A long collection is broken into lines: JSON is YAML, and stays on one.
  return text.includes('\n') ? JSON.stringify(value) : text.slice('[ '.length, -' ]'.length)
}

export function renderKey(key: string): string {
  return renderValue(key, true)
}
