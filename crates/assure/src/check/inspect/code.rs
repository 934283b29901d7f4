//! What is wrong with the code itself: programs that are none.

use camino::Utf8Path;
use steady_system::parallel;

use crate::check::finding::{Environment, Evidence, Finding};
use crate::check::world::{Root, Seen, World};
use crate::entries::{self, Place, Target};

/// Packages that nearly are programs.
pub fn near_misses(world: &World) -> Vec<Finding> {
    let seen = world
        .views_of(Environment::Here)
        .filter_map(|view| view.seen());
    seen.flat_map(|seen| of_load(world, seen)).collect()
}

/// Whether a file of a package that is none of a program's has a `func main`: taking files apart costs more than looking for the words.
fn mentions_main(world: &World, package: &Root) -> bool {
    let dir = Utf8Path::new(&package.dir);
    package.go_files.iter().any(|name| {
        let text = world.files.read_to_string(dir.join(name));
        text.is_ok_and(|text| text.contains("func main"))
    })
}

fn of_load(world: &World, seen: &Seen) -> Vec<Finding> {
    let places = parallel::map(&seen.roots, steady_system::processors(), |package| {
        let counts = !package.dir.is_empty()
            && !package.standard
            && (package.name == "main" || mentions_main(world, package));
        counts.then(|| Place {
            import_path: package.import_path.clone(),
            dir: package.dir.clone().into(),
        })
    });
    let places: Vec<Place> = places.into_iter().flatten().collect();
    let asked = [Target {
        platform: format!("{}/{}", seen.context.goos, seen.context.goarch),
        context: seen.context.clone(),
    }];
    let found = entries::find(seen.modules.index(), &places, &asked, &[]);
    let misses = found
        .near_misses
        .into_iter()
        .filter(|miss| miss.reason.is_mistake());
    misses
        .map(|miss| {
            let file = world.shown(&miss.place.dir.join(&miss.file));
            let reason = miss.reason.to_string();
            let line = usize::try_from(miss.line).unwrap_or_default();
            Finding::new(
                "entries/near-miss",
                format!("{file} {}", miss.line),
                format!("{}: {reason}", miss.place.import_path),
            )
            .hits_all(Environment::ALL)
            .shown_by(Evidence::place(file, line, reason))
        })
        .collect()
}
