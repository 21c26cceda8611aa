// What a form's controls say, taken into an object by their names.

/** A listener for `input` events of a form: each control says what the member of its name is. */
export const takeInto = (state, changed) => (event) => {
  const { name, type, checked, value } = event.target;
  if (!(name in state) || (type === "radio" && !checked)) return;
  state[name] = type === "checkbox" ? checked : value;
  changed(name);
};

/** The lines of a text that have something in them. */
export const lines = (text) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);

/** A listener for `submit` that does `work`. */
export const submit = (work) => (event) => {
  event.preventDefault();
  void work(event);
};
