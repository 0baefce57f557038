/** One image: of what it is, what its instances begin with, and who uses it. */

import { h } from "../lib/dom.js";
import { follow } from "../lib/follow.js";
import { gib, time } from "../lib/format.js";
import { head } from "../lib/head.js";
import { identifier, instanceLink, snapshotLink } from "../lib/ids.js";
import { badge, mark } from "../lib/marks.js";
import { curlButton, empty, facts, section, tagList } from "../lib/parts.js";
import { deregisterButton } from "./images.js";

/** @param {import("../lib/page.js").Page} page */
export function show(page) {
  return follow(page, `/v1/images/${page.parts[1]}`, draw, { lines: 8, missing: () => empty("There is no such image") });
}

/** @param {any} image */
function draw(image) {
  const { deregistration: end, failure } = image;
  return h(
    "div",
    { class: "page" },
    head(image.name, {
      up: ["Images", "#/images"],
      beside: badge(image.status),
      note: [identifier(image.id), image.ami_id && [" ", identifier(image.ami_id)]],
      tools: [deregisterButton(image), curlButton("GET", `/v1/images/${image.id}`)],
    }),
    failure && h("div", { class: "warning bad" }, mark("warn"), h("div", null, h("strong", null, failure.code), h("p", null, failure.message))),
    section(
      "What it is",
      {},
      facts([
        ["Of the snapshot", snapshotLink(image.snapshot_id, "its snapshot")],
        ["Of the instance", instanceLink(image.instance_id)],
        ["Where", image.region],
        ["In EC2", image.ec2_state],
        ["Description", image.description && h("bdi", null, image.description)],
        ["Processor", image.architecture],
        ["Boots from", [image.root_device, image.boot_mode && `, ${image.boot_mode}`]],
        ["Asked for", [time(image.created_at, "both"), " by ", h("bdi", null, image.requested_by)]],
        ["Registered", image.registered_at && time(image.registered_at, "both")],
        image.gone_at && ["Gone", time(image.gone_at, "both")],
        end && ["Deregistered by", [h("bdi", null, end.by), " ", time(end.at, "both")]],
        end?.snapshot_deletion && ["Its snapshot", end.snapshot_deletion.reason ?? "is deleted as well"],
        ["Tags", tagList(image.tags)],
      ]),
    ),
    section(
      "What its instances begin with",
      {},
      facts(
        image.volumes.map((/** @type {any} */ volume) => [
          volume.device,
          [gib(volume.size_gib), ` ${volume.volume_type}, of `, identifier(volume.ebs_snapshot_id)],
        ]),
      ),
    ),
    section("Instances launched from it", { note: "Launch templates that name it are not looked through." }, launched(image.instances)),
  );
}

/** @param {string[] | null} instances */
function launched(instances) {
  if (!instances) return h("p", { class: "faint" }, "Not known just now.");
  if (!instances.length) return h("p", { class: "faint" }, "None that is there.");
  return h(
    "ul",
    null,
    instances.map((id) => h("li", null, instanceLink(id))),
  );
}
