// An address that is kept or sent says what was chosen, and nothing of the fields that were left empty.
document.querySelector("form.filter-form")?.addEventListener("formdata", ({ formData }) => {
  for (const name of new Set(formData.keys())) {
    const given = formData.getAll(name).filter((value) => value !== "");
    formData.delete(name);
    for (const value of given) formData.append(name, value);
  }
});
