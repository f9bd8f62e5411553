// A model file of ONNX, written by hand: the few fields of its protocol buffers that linear layers and convolutions need.

/** A whole number, seven bits a byte. */
function varint(n) {
  const bytes = [];
  for (let rest = n; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) + 128);
  }
}

const number = (field, n) => Buffer.concat([varint(field * 8), varint(n)]);
const bytes = (field, data) => {
  const buffer = typeof data === 'string' ? Buffer.from(data) : data;
  return Buffer.concat([varint(field * 8 + 2), varint(buffer.length), buffer]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

const [FLOAT, INT, INTS] = [1, 2, 7];

/** A whole number or a list of them. */
function attribute(name, value) {
  if (Array.isArray(value)) return message(5, bytes(1, name), ...value.map((n) => number(8, n)), number(20, INTS));
  return message(5, bytes(1, name), number(3, value), number(20, INT));
}

/** A step of the graph: what it does, what goes in, what comes out. */
export function node(type, inputs, output, attributes = {}) {
  return message(
    1,
    ...inputs.map((input) => bytes(1, input)),
    bytes(2, output),
    bytes(4, type),
    ...Object.entries(attributes).map(([name, value]) => attribute(name, value)),
  );
}

/** A constant of the graph. */
export function constant(name, data, shape) {
  const raw = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return message(5, ...shape.map((n) => number(1, n)), number(2, FLOAT), bytes(8, name), bytes(9, raw));
}

function end(field, name, shape) {
  const dims = message(2, ...shape.map((n) => message(1, number(1, n))));
  return message(field, bytes(1, name), message(2, message(1, number(1, FLOAT), dims)));
}

/** A model of nodes and constants, from `x` to `y`. */
export function model(parts, inputShape, outputShape) {
  const graph = message(7, ...parts, bytes(2, 'g'), end(11, 'x', inputShape), end(12, 'y', outputShape));
  return Buffer.concat([number(1, 8), graph, message(8, bytes(1, ''), number(2, 13))]);
}
