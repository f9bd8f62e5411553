// What goes in and comes out: tensors in arrays and plain objects, matched against what was recorded.
import { isTensor } from '../core/dispatch.js';
import type { DType } from '../core/dtype.js';
import { type Shape, sameShape } from '../core/shape.js';
import type { Tensor } from '../tensor.js';

/** The form of an input: what has to be the same for a recorded step to be replayed. */
export type Form =
  | { readonly kind: 'tensor'; readonly shape: Shape; readonly dtype: DType; readonly requiresGrad: boolean }
  /** The same tensor as one before it. */
  | { readonly kind: 'again'; readonly index: number }
  | { readonly kind: 'array'; readonly items: readonly Form[] }
  | { readonly kind: 'object'; readonly keys: readonly string[]; readonly items: readonly Form[] }
  | { readonly kind: 'value'; readonly value: unknown };

export function isPlain(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The form of a value; its tensors are added to `tensors`, each once. */
export function formOf(value: unknown, tensors: Tensor[]): Form {
  if (isTensor(value)) {
    const index = tensors.indexOf(value);
    if (index >= 0) return { kind: 'again', index };
    tensors.push(value);
    const { shape, dtype, requiresGrad } = value;
    return { kind: 'tensor', shape: [...shape], dtype, requiresGrad };
  }
  if (Array.isArray(value)) return { kind: 'array', items: value.map((item) => formOf(item, tensors)) };
  if (!isPlain(value)) return { kind: 'value', value };
  const keys = Object.keys(value);
  return { kind: 'object', keys, items: keys.map((key) => formOf(value[key], tensors)) };
}

/** Whether a value has a form; its tensors are added to `tensors` on the way. */
export function matches(form: Form, value: unknown, tensors: Tensor[]): boolean {
  switch (form.kind) {
    case 'tensor': {
      if (!isTensor(value)) return false;
      if (value.dtype !== form.dtype || value.requiresGrad !== form.requiresGrad) return false;
      if (!sameShape(value.shape, form.shape) || tensors.includes(value)) return false;
      tensors.push(value);
      return true;
    }
    case 'again':
      return tensors[form.index] === value;
    case 'array': {
      const { items } = form;
      if (!Array.isArray(value) || value.length !== items.length) return false;
      for (let i = 0; i < items.length; i++) if (!matches(items[i], value[i], tensors)) return false;
      return true;
    }
    case 'object': {
      const { keys, items } = form;
      if (!isPlain(value) || Object.keys(value).length !== keys.length) return false;
      for (let i = 0; i < keys.length; i++) {
        if (!(keys[i] in value) || !matches(items[i], value[keys[i]], tensors)) return false;
      }
      return true;
    }
    case 'value':
      return Object.is(value, form.value);
  }
}

/** The value of a form with other tensors, or what stands for them, in their places. */
export function rebuilt(form: Form, tensors: readonly unknown[], next = { index: 0 }): unknown {
  switch (form.kind) {
    case 'tensor':
      return tensors[next.index++];
    case 'again':
      return tensors[form.index];
    case 'array': {
      const { items } = form;
      const array: unknown[] = new Array(items.length);
      for (let i = 0; i < items.length; i++) array[i] = rebuilt(items[i], tensors, next);
      return array;
    }
    case 'object': {
      const { keys, items } = form;
      const object: Record<string, unknown> = {};
      for (let i = 0; i < keys.length; i++) object[keys[i]] = rebuilt(items[i], tensors, next);
      return object;
    }
    case 'value':
      return form.value;
  }
}
