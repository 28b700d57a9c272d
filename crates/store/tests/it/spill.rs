use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use regulars_core::{CustomerId, Partition};
use regulars_store::spill::Slice;

use crate::sample::create;

#[test]
fn what_is_spilled_comes_back_in_order_and_then_goes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data");
    let mut store = create(&path);
    let transaction = store.begin().unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut expected = vec![Vec::new(); Partition::COUNT];
    let mut spill = transaction.spill(0).unwrap();
    for number in 0..20_000_u64 {
        let partition = Partition(rng.random_range(0..63));
        let mut row = number.to_le_bytes().to_vec();
        row.resize(rng.random_range(8..300), number as u8);
        if number == 700 {
            row.resize(100_000, 9);
        }
        spill.append(partition, &row).unwrap();
        expected[partition.index()].extend(row);
    }
    let spilled = spill.finish().unwrap();
    assert_eq!(std::fs::read_dir(path.join("tmp")).unwrap().count(), 1);
    std::thread::scope(|scope| {
        let halves: Vec<Vec<Partition>> = (0..2)
            .map(|half| Partition::all().filter(|p| p.0 % 2 == half).collect())
            .collect();
        for half in halves {
            let (spilled, expected) = (&spilled, &expected);
            scope.spawn(move || {
                for partition in half {
                    let due = &expected[partition.index()];
                    assert_eq!(spilled.bytes(partition), due.len() as u64);
                    assert_eq!(&spilled.read(partition).unwrap(), due);
                }
            });
        }
    });
    drop(spilled);
    assert_eq!(std::fs::read_dir(path.join("tmp")).unwrap().count(), 0);
}

#[test]
fn slices_divide_partitions_and_keep_the_order_of_customers() {
    let slices: Vec<Slice> = Partition::all().flat_map(Slice::of_partition).collect();
    assert!(slices.iter().copied().eq(Slice::all()));
    assert!(slices.is_sorted());
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut customers: Vec<CustomerId> = (0..5_000).map(|_| CustomerId(rng.random())).collect();
    customers.extend([CustomerId(0), CustomerId(u64::MAX)]);
    customers.sort_unstable();
    assert!(customers.is_sorted_by_key(|&customer| Slice::of(customer)));
    for customer in customers {
        let mut of_partition = Slice::of_partition(customer.partition());
        assert!(of_partition.any(|slice| slice == Slice::of(customer)));
    }
}
