//! Names for invented people and employers.

pub const FIRST: [&str; 16] = [
    "Amara", "Bertil", "Carys", "Dinesh", "Elowen", "Fergus", "Gwenda", "Hamid", "Isolde", "Jarek", "Keziah",
    "Lorcan", "Maelys", "Nikesh", "Orla", "Piran",
];
pub const LAST: [&str; 16] = [
    "Ashdown",
    "Brockwell",
    "Cawthra",
    "Dunmore",
    "Elverstone",
    "Fairhollow",
    "Grimsdale",
    "Hathersage",
    "Ingleside",
    "Jessop-Vale",
    "Kettlewick",
    "Lowmoor",
    "Marchbank",
    "Netherby",
    "Oakenshaw",
    "Penhallow",
];
pub const EMPLOYERS: [&str; 6] = [
    "Brindle & Sons (sample)",
    "Copperfold Ltd (sample)",
    "Eastmere Care (sample)",
    "Halcyon Works (sample)",
    "Larkrise Services (sample)",
    "Tideway Group (sample)",
];
