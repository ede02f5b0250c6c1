#!/usr/bin/env bash
. "$(dirname "$0")/lib.sh"
case_is "models copied to Drive and back: swapped or cut weights, an edited run.json, a newer version's field, a missing file" \
  "keras-team/keras #6759 (weights of another shape loaded in silence); AppliedDataSciencePartners/WorldModels #12; HyperGAN/HyperGAN #96" \
  "one line that says which file is wrong and what to do; never a traceback, never wrong images"
gan=$(model gan gan) vae=$(model vae vae) text=$(model text text-to-text)
GAN=$gan VAE=$vae TEXT=$text py >calls.jsonl <<'PY'
import json, os, shutil
import numpy as np
from pathlib import Path
def copy(source, name):
    shutil.copytree(os.environ[source], name)
    return Path(name)
def edit(folder, change):
    path = folder / "run.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
calls = []
def draw(folder): calls.append(["generate", "--model", str(folder), "--count", "2", "--out", f"{folder}.png"])
def ask(folder): calls.append(["answer", "--model", str(folder), "1+1"])
f = copy("GAN", "weights_of_vae"); shutil.copy(Path(os.environ["VAE"], "model.weights.h5"), f); draw(f)
f = copy("VAE", "cut_weights"); w = f / "model.weights.h5"; w.write_bytes(w.read_bytes()[:-2000]); draw(f)
f = copy("VAE", "flipped_weights"); w = f / "model.weights.h5"; b = bytearray(w.read_bytes()); b[5000:5100] = bytes(x ^ 255 for x in b[5000:5100]); w.write_bytes(b); draw(f)
f = copy("VAE", "no_mixture"); (f / "mixture-prior.npz").unlink(); draw(f)
f = copy("VAE", "no_memory"); (f / "training-set.npz").unlink(); draw(f)
f = copy("VAE", "only_weights"); (f / "run.json").unlink(); draw(f)
f = copy("VAE", "bom"); (f / "run.json").write_text("\ufeff" + (f / "run.json").read_text()); draw(f)
f = copy("VAE", "a_list"); (f / "run.json").write_text("[]"); draw(f)
f = copy("VAE", "empty_json"); (f / "run.json").write_text(""); draw(f)
f = copy("VAE", "older_version"); edit(f, lambda c: c["config"].pop("preset")); draw(f)
f = copy("VAE", "no_image_spec"); edit(f, lambda c: c["config"].pop("image_spec")); draw(f)
f = copy("VAE", "newer_version"); edit(f, lambda c: c["config"]["image_spec"].update(frames=1)); draw(f)
f = copy("VAE", "newer_choice"); edit(f, lambda c: c["config"]["model"].update(depth=2)); draw(f)
f = copy("VAE", "renamed_preset"); edit(f, lambda c: c["config"].update(preset="default-2")); draw(f)
f = copy("TEXT", "text_older"); edit(f, lambda c: c["config"].pop("architecture")); ask(f)
f = copy("TEXT", "text_other"); edit(f, lambda c: c["config"].update(encoder_layers=2)); ask(f)
f = copy("TEXT", "text_words"); edit(f, lambda c: c["config"].update(max_digits="two")); ask(f)
ask(Path(os.environ["TEXT"], "model.weights.h5"))
draw(os.environ["TEXT"])
f = copy("VAE", "no_task"); edit(f, lambda c: c["config"].pop("task")); draw(f)
f = copy("VAE", "no_details"); edit(f, lambda c: c.pop("details")); draw(f)
f = copy("VAE", "config_a_list"); edit(f, lambda c: c.update(config=["task"])); draw(f)
f = copy("VAE", "size_a_word"); edit(f, lambda c: c["config"]["image_spec"].update(size="64")); draw(f)
f = copy("VAE", "mixture_of_gan"); np.savez(f / "mixture-prior.npz", weights=np.ones(1)); draw(f)
f = copy("TEXT", "old_weights"); (f / "model.weights.h5").rename(f / "weights.npz"); ask(f)
f = copy("TEXT", "mödel with blank #1"); ask(f)
for call in calls:
    print(json.dumps(call))
PY
many "twenty-six accidents" calls.jsonl
check "none ends in a traceback" silent_about "RC TRACEBACK"
check "nothing is drawn by a model that was changed" eval '[ -z "$(ls {weights_of_vae,cut_weights,flipped_weights,no_image_spec,newer_version,newer_choice,size_a_word}.png 2>/dev/null)" ]'
check "the model in a folder with an odd name still answers" eval "tail -n 3 '$OUT' | grep -q 'RC 0'"
